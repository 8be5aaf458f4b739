/** Saving without being asked: when a cell is run, and before work is handed in. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { type INotebookTracker, type Notebook, NotebookActions } from '@jupyterlab/notebook';

const DELAY = 500; // milliseconds in which several cells may be run and saved at once

/** Save a notebook when its cells are run: what was typed, and then the outputs. */
export function saveOnRun(tracker: INotebookTracker): void {
  tracker.widgetAdded.connect((_, panel) => saveOneAtATime(panel.context));
  const pending = new Map<Notebook, number>();
  const schedule = (_: unknown, { notebook }: { notebook: Notebook }) => {
    window.clearTimeout(pending.get(notebook));
    pending.set(notebook, window.setTimeout(() => save(notebook), DELAY));
  };
  const save = (notebook: Notebook) => {
    pending.delete(notebook);
    const context = tracker.find(panel => panel.content === notebook)?.context;
    if (context && !context.model.readOnly && context.model.dirty) {
      void context.save();
    }
  };
  NotebookActions.executionScheduled.connect(schedule);
  NotebookActions.executed.connect(schedule);
}

/** Save all open documents of a folder that have changes. */
export async function saveFolder(
  app: JupyterFrontEnd,
  documents: IDocumentManager,
  folder: string
): Promise<void> {
  const contexts = new Set(
    Array.from(app.shell.widgets('main'), widget => documents.contextForWidget(widget))
  );
  for (const context of contexts) {
    if (context?.path.startsWith(`${folder}/`) && context.model.dirty) {
      await context.save();
      if (context.model.dirty) {
        throw new Error(`${context.path} could not be saved, so nothing was handed in.`);
      }
    }
  }
}

const inTurn = new WeakSet<DocumentRegistry.Context>();

/**
 * Let each save of a document wait for the one before.
 *
 * JupyterLab takes a file that another save of its own has just written for one that another program
 * changed, and asks which to keep. Saving on run and autosave meet where a server is busy.
 */
function saveOneAtATime(context: DocumentRegistry.Context): void {
  if (inTurn.has(context)) {
    return;
  }
  inTurn.add(context);
  const save = context.save.bind(context);
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  context.save = () => {
    if (!running) {
      running = save().finally(() => (running = null));
      return running;
    }
    const again = () => {
      next = null;
      return context.save();
    };
    next ??= running.then(again, again);
    return next;
  };
}
