/** JupyterLab's window: what is open in it, and how narrow it is. */
import type { ILabShell } from '@jupyterlab/application';
import { PageConfig } from '@jupyterlab/coreutils';
import type { Widget } from '@lumino/widgets';

const NARROW = '(max-width: 760px)'; // also a wide window, zoomed to 200 %

/** Whether JupyterLab opens with nothing but its launcher. */
export function hasNothingOpen(shell: ILabShell): boolean {
  const others = Array.from(shell.widgets('main')).filter(widget => !isLauncher(widget));
  return others.length === 0 && !PageConfig.getOption('treePath');
}

/** Close the launcher, which JupyterLab opens again where nothing else is open. */
export function closeLauncher(shell: ILabShell): void {
  Array.from(shell.widgets('main')).filter(isLauncher).forEach(widget => widget.close());
}

function isLauncher(widget: Widget): boolean {
  return widget.id.startsWith('launcher');
}

/**
 * Give the room of the sidebar to the work, where the window is narrow.
 *
 * JupyterLab opens its file browser while it starts; after that, who opens it wants to see it.
 */
export function collapseSidebarWhereNarrow(shell: ILabShell): void {
  const narrow = window.matchMedia(NARROW);
  const collapse = () => {
    if (narrow.matches && !shell.leftCollapsed) {
      shell.collapseLeft();
    }
  };
  narrow.addEventListener('change', collapse);
  shell.layoutModified.connect(collapse);
  for (const event of ['pointerdown', 'keydown']) {
    const stop = () => shell.layoutModified.disconnect(collapse);
    window.addEventListener(event, stop, { once: true, capture: true });
  }
}

const live = document.createElement('div');
live.className = 'course-live';
live.setAttribute('role', 'status');

/** Have screen readers say a line. */
export function announce(text: string): void {
  if (!live.isConnected) {
    document.body.append(live);
  }
  live.textContent = text;
}
