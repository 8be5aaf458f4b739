/** The students' front in JupyterLab: My course, Check in notebooks, saving by itself. */
import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  IThemeManager,
  MainAreaWidget,
  WidgetTracker
} from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';

import { ask, type IFeedback, type ILesson, type IReceipt } from './api';
import { check, checkButton } from './check';
import { MyCourse, type Steps } from './course';
import { feedbackTab } from './feedback';
import { handIn, showReceipt } from './handin';
import { courseIcon } from './icon';
import { markFigures } from './pictures';
import { saveFolder, saveOnRun } from './saving';
import { closeLauncher, collapseSidebarWhereNarrow, hasNothingOpen } from './shell';
import { speak } from './verdict';

const START = 'course:start';
const GRADE = 'course:grade';

/** Whether the server has the part that this front asks. */
const isServed = PageConfig.getOption('courseLessons') === 'true';
/** The address of the class's page, for instructors. */
const grading = PageConfig.getOption('courseGrading');

const course: JupyterFrontEndPlugin<void> = {
  id: 'nbgrader-autograder:course',
  description: 'My course: the list of lessons, hand-in and feedback.',
  autoStart: isServed,
  requires: [IDocumentManager],
  optional: [ICommandPalette, ILabShell, ILauncher, ILayoutRestorer, IThemeManager],
  activate: (
    app,
    documents: IDocumentManager,
    palette: ICommandPalette | null,
    shell: ILabShell | null,
    launcher: ILauncher | null,
    restorer: ILayoutRestorer | null,
    themes: IThemeManager | null
  ) => {
    const tracker = new WidgetTracker<MainAreaWidget<MyCourse>>({ namespace: 'course' });
    const steps = stepsIn(app, documents, themes);
    app.commands.addCommand(START, {
      label: 'My course',
      caption: 'Your lessons: get one, hand it in, read your marks',
      icon: courseIcon,
      execute: async () => {
        const tab =
          tracker.find(() => true) ?? new MainAreaWidget({ content: new MyCourse(steps) });
        if (!tracker.has(tab)) {
          tab.id = 'course-lessons-tab';
          tab.toolbar.hide();
          await tracker.add(tab);
        }
        if (!tab.isAttached) {
          app.shell.add(tab, 'main');
        }
        app.shell.activateById(tab.id);
      }
    });
    if (grading) {
      app.commands.addCommand(GRADE, {
        label: 'Grade the course',
        caption: 'The class, lesson by lesson, in a tab of its own',
        icon: courseIcon,
        execute: () => window.open(grading, '_blank', 'noopener')
      });
    }
    for (const [rank, command] of (grading ? [START, GRADE] : [START]).entries()) {
      launcher?.add({ command, category: 'Course', categoryRank: -1, rank });
      palette?.addItem({ command, category: 'Course' });
    }
    void restorer?.restore(tracker, { command: START, name: () => 'course' });
    if (shell) {
      collapseSidebarWhereNarrow(shell);
      void shell.restored.then(() => {
        if (!grading && hasNothingOpen(shell)) {
          void app.commands.execute(START).then(() => closeLauncher(shell));
        }
      });
    }
  }
};

/** Return what My course can do with a lesson. */
function stepsIn(
  app: JupyterFrontEnd,
  documents: IDocumentManager,
  themes: IThemeManager | null
): Steps {
  const open = async (lesson: ILesson): Promise<NotebookPanel> => {
    const panel = documents.openOrReveal(lesson.notebook ?? '') as NotebookPanel | undefined;
    if (!panel) {
      throw new Error(`${lesson.notebook} cannot be opened.`);
    }
    await panel.revealed;
    return panel;
  };
  return {
    get: lesson => ask('autograder/get', { lesson: lesson.name }),
    open,
    check: async lesson => check(await open(lesson)),
    'hand-in': lesson => handIn(lesson, () => saveFolder(app, documents, lesson.folder)),
    feedback: async lesson => {
      const feedback = await ask<IFeedback>('autograder/feedback', { lesson: lesson.name });
      const tab = feedbackTab(feedback, themes);
      tab.id = `course-feedback-${lesson.name}-${feedback.submitted}`;
      // An open tab may show marks of before a regrade.
      Array.from(app.shell.widgets('main'))
        .find(widget => widget.id === tab.id)
        ?.dispose();
      app.shell.add(tab, 'main');
      app.shell.activateById(tab.id);
    },
    receipt: async lesson =>
      showReceipt(await ask<IReceipt>('autograder/receipt', { lesson: lesson.name }))
  };
}

const notebooks: JupyterFrontEndPlugin<void> = {
  id: 'nbgrader-autograder:notebooks',
  description: 'Check in the toolbar of notebooks, saved when a cell is run, whose tests speak.',
  autoStart: isServed,
  requires: [INotebookTracker, IRenderMimeRegistry],
  activate: (app, tracker: INotebookTracker, registry: IRenderMimeRegistry) => {
    saveOnRun(tracker);
    markFigures();
    speak(tracker, registry);
    app.docRegistry.addWidgetExtension('Notebook', {
      createNew: (panel: NotebookPanel) => {
        const button = checkButton(panel);
        panel.toolbar.insertItem(10, 'validate', button);
        return button;
      }
    });
  }
};

export default [course, notebooks];
