for (const table of document.querySelectorAll('table.sortable')) {
  table.querySelectorAll('thead th').forEach((head, place) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const up = head.getAttribute('aria-sort') !== 'ascending';
      for (const other of table.querySelectorAll('thead th')) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      const key = row => row.cells[place].textContent.trim();
      const number = text => text === '' ? -Infinity : parseFloat(text.replace('\u2212', '-'));
      const compare = (a, b) => {
        const [m, n] = [number(key(a)), number(key(b))];
        return isNaN(m) || isNaN(n) ? key(a).localeCompare(key(b)) : m === n ? 0 : m - n;
      };
      const body = table.tBodies[0];
      body.append(...[...body.rows].sort((a, b) => up ? compare(a, b) : compare(b, a)));
    });
  });
}
