/** Check: runs a notebook from the top, and shows the result of each visible test. */
import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { ReactWidget, ToolbarButton } from '@jupyterlab/ui-components';
import * as React from 'react';

import { ask, type IChecked } from './api';
import { count } from './words';

const MORE = 'Hidden tests check more, once your work is handed in.';
const CHANGED = 'This test was changed: it is restored when your work is graded.';

const OUTCOMES = { passed: '✓ passed', open: '○ open', failed: '✗ failed' };

function outcomeOf(test: IChecked['tests'][number]): keyof typeof OUTCOMES {
  return test.passed ? 'passed' : test.unanswered ? 'open' : 'failed';
}

/** Return the button Check of a notebook's toolbar. */
export function checkButton(panel: NotebookPanel): ToolbarButton {
  const button = new ToolbarButton({
    className: 'course-validate',
    label: 'Check',
    tooltip: `Run this notebook from the top and see the results of its tests. ${MORE}`,
    onClick: async () => {
      button.enabled = false;
      await check(panel);
      button.enabled = true;
    }
  });
  return button;
}

/** Check a notebook and show the result in a dialog; then go to the cell that was chosen. */
export async function check(panel: NotebookPanel): Promise<void> {
  const busy = Notification.emit('Checking: your notebook runs from the top.', 'in-progress', {
    autoClose: false
  });
  try {
    const result = await validated(panel);
    Notification.dismiss(busy);
    await showResult(panel, result);
  } catch (error) {
    Notification.dismiss(busy);
    await showDialog({
      title: 'The check could not run',
      body: (error as Error).message,
      buttons: [Dialog.okButton()]
    });
  }
}

async function validated(panel: NotebookPanel): Promise<IChecked> {
  await panel.context.save();
  const answer = await ask<{ success: boolean; value: IChecked | string }>('assignments/validate', {
    path: panel.context.path
  });
  if (typeof answer.value === 'string') {
    throw new Error(answer.value);
  }
  return answer.value;
}

async function showResult(panel: NotebookPanel, result: IChecked): Promise<void> {
  let chosen = '';
  const choose = (id: string) => {
    chosen = id;
    dialog.resolve(0);
  };
  const body = ReactWidget.create(<Report result={result} choose={choose} />);
  const dialog: Dialog<unknown> = new Dialog({
    title: 'Test results',
    body,
    buttons: [Dialog.okButton()]
  });
  await dialog.launch();
  if (chosen) {
    await goTo(panel, chosen);
  }
}

/** Scroll to a cell and make it the active one. */
async function goTo(panel: NotebookPanel, id: string): Promise<void> {
  const notebook = panel.content;
  const index = notebook.widgets.findIndex(cell => cell.model.id === id);
  if (index >= 0) {
    notebook.activeCellIndex = index;
    await notebook.scrollToItem(index, 'center');
    notebook.activate();
  }
}

function Report(props: { result: IChecked; choose: (id: string) => void }): JSX.Element {
  const { tests, notes, answered, exercises } = props.result;
  const passed = tests.filter(test => test.passed);
  const points = (some: typeof tests) => some.reduce((sum, test) => sum + test.points, 0);
  return (
    <div className="course-report">
      <p>
        <strong>
          {passed.length} of {tests.length} visible tests passed
        </strong>
        {`: ${points(passed)} of their ${count(points(tests), 'point')}. `}
        {`${answered} of ${count(exercises, 'exercise')} answered.`}
      </p>
      <ul>
        {tests.map((test, index) => (
          <li key={index} className={`course-${outcomeOf(test)}`}>
            <span className="course-outcome">{OUTCOMES[outcomeOf(test)]}</span>
            <div>
              {test.message && <p className="course-message">{test.message}</p>}
              {test.changed && <p>{CHANGED}</p>}
              <p className="course-detail">
                <button
                  type="button"
                  className="course-link"
                  onClick={() => props.choose(test.cell_id)}
                  title="Go to this cell"
                >
                  {test.name}
                </button>
                {test.points > 0 && `, ${count(test.points, 'point')}`}
              </p>
            </div>
          </li>
        ))}
      </ul>
      {notes.map(note => (
        <p key={note}>{note}</p>
      ))}
    </div>
  );
}
