/** The students' front in JupyterLab: My course, Check in notebooks, saving by itself. */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { PageConfig } from '@jupyterlab/coreutils';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';

import { checkButton } from './check';
import { courseIcon } from './icon';
import { saveOnRun } from './saving';

const tiles: JupyterFrontEndPlugin<void> = {
  id: 'nbgrader-autograder:course',
  description: 'The list of lessons, hand-in and feedback.',
  autoStart: true,
  requires: [ILauncher],
  activate: (app, launcher: ILauncher) => {
    app.commands.addCommand('course:start', {
      label: 'My course',
      caption: 'Your lessons: get one, hand it in, read your marks',
      icon: courseIcon,
      execute: () => app.commands.execute('nbgrader:open-assignment-list')
    });
    launcher.add({ command: 'course:start', category: 'Notebook', rank: -2 });
    const grading = PageConfig.getOption('courseGrading');
    if (grading) {
      app.commands.addCommand('course:grade', {
        label: 'Grade the course',
        caption: 'The formgrader, in a tab of its own',
        icon: courseIcon,
        execute: () => window.open(grading, '_blank', 'noopener')
      });
      launcher.add({ command: 'course:grade', category: 'Notebook', rank: -1 });
    }
  }
};

const notebooks: JupyterFrontEndPlugin<void> = {
  id: 'nbgrader-autograder:notebooks',
  description: 'Check in the toolbar of notebooks, which are saved when a cell is run.',
  autoStart: true,
  requires: [INotebookTracker],
  activate: (app, tracker: INotebookTracker) => {
    saveOnRun(tracker);
    app.docRegistry.addWidgetExtension('Notebook', {
      createNew: (panel: NotebookPanel) => {
        const button = checkButton(panel);
        panel.toolbar.insertItem(10, 'validate', button);
        return button;
      }
    });
  }
};

export default [tiles, notebooks];
