/** Numbers and times, as people read them. */

/** Return "1 point" or "2 points". */
export function count(number: number, noun: string): string {
  return `${Number(number.toFixed(2))} ${noun}${number === 1 ? '' : 's'}`;
}

/** Return a time in the time zone of the browser, to the minute. */
export function when(time: string): string {
  return new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

/** Return a time in the time zone of the browser, to the second and with the zone's name. */
export function localTime(time: string): string {
  return new Date(time).toLocaleString(undefined, { dateStyle: 'long', timeStyle: 'long' });
}

/** Return a span of time in its two largest units, as feedback does: "1 d 6 h". */
export function span(seconds: number): string {
  const minutes = Math.max(1, Math.floor(seconds / 60));
  const parts: [number, string][] = [
    [Math.floor(minutes / 1440), 'd'],
    [Math.floor(minutes / 60) % 24, 'h'],
    [minutes % 60, 'min']
  ];
  const named = parts.filter(([number]) => number > 0).map(([number, unit]) => `${number} ${unit}`);
  return named.slice(0, 2).join(' ');
}
