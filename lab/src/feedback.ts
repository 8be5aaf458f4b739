/** Feedback in a tab: the page of each notebook in a frame in which no script runs. */
import { type IThemeManager, MainAreaWidget } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';

import type { IFeedback } from './api';
import { courseIcon } from './icon';
import { markFiguresIn } from './pictures';
import { askButton } from './regrade';
import { when } from './words';

/** As in notebooks: style/base.css. */
const DARK_FIGURES =
  'img { filter: brightness(0.85); }' +
  'img[data-course-figure="drawing"] { filter: invert(0.93) hue-rotate(180deg); background: none; }';

/** Return a tab with feedback; it follows the theme. */
export function feedbackTab(
  feedback: IFeedback,
  themes: IThemeManager | null
): MainAreaWidget<Widget> {
  const content = new Widget();
  content.addClass('course-feedback');
  const head = document.createElement('div');
  head.className = 'course-feedback-head';
  const handedIn = document.createElement('span');
  handedIn.textContent = `${feedback.title}, handed in on ${when(feedback.submitted)}`;
  head.append(handedIn, askButton(feedback) ?? '');
  content.node.append(head);
  const frames = feedback.pages.map(page => {
    const frame = document.createElement('iframe');
    frame.title = `Feedback on ${page.name}`;
    frame.setAttribute('sandbox', 'allow-popups allow-popups-to-escape-sandbox');
    content.node.append(frame);
    return { frame, html: page.html };
  });
  const draw = async () => {
    const dark = !!themes?.theme && !themes.isLight(themes.theme);
    for (const { frame, html } of frames) {
      frame.srcdoc = await prepared(html, dark);
    }
  };
  void draw();
  themes?.themeChanged.connect(draw);
  content.disposed.connect(() => themes?.themeChanged.disconnect(draw));
  const tab = new MainAreaWidget({ content });
  tab.toolbar.hide();
  tab.title.label = `Feedback: ${feedback.title}`;
  tab.title.icon = courseIcon;
  tab.title.closable = true;
  return tab;
}

/**
 * Return a page for a frame: in the colours of the theme, with links that work.
 *
 * A frame without an address of its own resolves links against JupyterLab's: those within the page
 * would leave it, so they get the frame's own base. Links to other sites open a tab.
 */
async function prepared(html: string, dark: boolean): Promise<string> {
  const page = new DOMParser().parseFromString(html, 'text/html');
  page.querySelectorAll('base, script, meta[http-equiv="refresh"]').forEach(node => node.remove());
  // The page's policy forbids a base, and comes after this one.
  const base = page.createElement('base');
  base.href = 'about:srcdoc';
  const style = page.createElement('style');
  style.textContent = `:root { color-scheme: ${dark ? 'dark' : 'light'}; }`;
  if (dark) {
    await markFiguresIn(page);
    style.textContent += DARK_FIGURES;
  }
  page.head.prepend(base);
  page.head.append(style);
  page.querySelectorAll('a[href]').forEach(link => {
    if (!link.getAttribute('href')?.startsWith('#')) {
      link.setAttribute('target', '_blank');
      link.setAttribute('rel', 'noopener noreferrer');
    }
  });
  return `<!DOCTYPE html>${page.documentElement.outerHTML}`;
}
