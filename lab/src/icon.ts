import { LabIcon } from '@jupyterlab/ui-components';

/** A filter that slides over an image: the icon of the course. */
export const courseIcon = new LabIcon({
  name: 'nbgrader-autograder:course',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="16">' +
    '<g fill="none" stroke="#d55e00" stroke-width="1.5">' +
    '<path d="M3 3h12v12H3zM7 3v12M11 3v12M3 7h12M3 11h12"/></g>' +
    '<path fill="#0072b2" d="M13 13h8v8h-8z"/></svg>'
});
