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

/** Return a span of time in its largest unit, rounded up: "3 hours". */
export function span(seconds: number): string {
  if (seconds < 3600) {
    return count(Math.ceil(seconds / 60), 'minute');
  }
  const hours = Math.ceil(seconds / 3600);
  return hours < 48 ? count(hours, 'hour') : count(Math.ceil(seconds / 86400), 'day');
}
