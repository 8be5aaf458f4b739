/** Ask for a regrade: a dialog on one graded cell, which sends the request to the instructor. */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';

import { ask, type IFeedback } from './api';
import { when } from './words';

interface IRequest {
  cell: string;
  category: string;
  words: string;
}

/** Return the button that asks about a mark; null where requests are not taken. */
export function askButton(feedback: IFeedback): HTMLButtonElement | null {
  if (!feedback.asks_until || gradedCells(feedback).length === 0) {
    return null;
  }
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'jp-mod-styled jp-mod-reject course-ask';
  button.textContent = 'Ask about a mark …';
  button.title = `Once per cell, until ${when(feedback.asks_until)}`;
  button.onclick = () => void askAboutMark(feedback);
  return button;
}

/** Show the dialog until the request is sent or given up. */
async function askAboutMark(feedback: IFeedback): Promise<void> {
  let problem = '';
  let request: IRequest | undefined;
  for (;;) {
    const body = new RequestForm(feedback, request, problem);
    const { button, value } = await showDialog<IRequest>({
      title: `Ask about a mark in ${feedback.title}`,
      body,
      buttons: [Dialog.cancelButton(), Dialog.okButton({ label: 'Ask' })],
      focusNodeSelector: problem ? 'textarea' : 'select'
    });
    if (!button.accept || !value) {
      return;
    }
    request = value;
    try {
      await ask('autograder/ask', { lesson: feedback.lesson, ...request });
      await showDialog({
        title: 'Your request was sent',
        body: `It is about ${request.cell}. The answer will be in your feedback.`,
        buttons: [Dialog.okButton()]
      });
      return;
    } catch (error) {
      problem = (error as Error).message;
    }
  }
}

/** The form: which cell, what kind of request, why. */
class RequestForm extends Widget implements Dialog.IBodyWidget<IRequest> {
  constructor(feedback: IFeedback, before: IRequest | undefined, problem: string) {
    super();
    this.addClass('course-form');
    const cells = gradedCells(feedback);
    const short = cells.find(cell => cell.earned < cell.points);
    this._cell = select(
      cells.map(({ name, earned, points }) => [name, `${name}: ${earned} of ${points}`]),
      before?.cell ?? short?.name
    );
    this._category = select(Object.entries(feedback.categories), before?.category);
    this._words = document.createElement('textarea');
    this._words.rows = 5;
    this._words.value = before?.words ?? '';
    this.node.append(
      field('Cell', this._cell),
      field('Kind of request', this._category),
      field('Why, in a few sentences', this._words)
    );
    const note = document.createElement('p');
    note.setAttribute('role', problem ? 'alert' : 'note');
    note.className = problem ? 'course-remark' : '';
    note.textContent = problem || 'You can ask once per cell. The answer comes with your feedback.';
    this.node.append(note);
  }

  getValue(): IRequest {
    return {
      cell: this._cell.value,
      category: this._category.value,
      words: this._words.value
    };
  }

  private _cell: HTMLSelectElement;
  private _category: HTMLSelectElement;
  private _words: HTMLTextAreaElement;
}

/** Return the graded cells of feedback, as its tables list them. */
function gradedCells(feedback: IFeedback): { name: string; earned: number; points: number }[] {
  const rows = feedback.pages.flatMap(page => {
    const table = new DOMParser().parseFromString(page.html, 'text/html').querySelector('table');
    return Array.from(table?.tBodies[0]?.rows ?? [], row => {
      const [earned, points] = (row.cells[1]?.textContent ?? '').split('/').map(Number);
      return { name: row.cells[0]?.textContent?.trim() ?? '', earned, points };
    });
  });
  return rows.filter(({ points }) => points > 0);
}

function select(options: [string, string][], chosen: string | undefined): HTMLSelectElement {
  const list = document.createElement('select');
  for (const [value, text] of options) {
    list.add(new Option(text, value, false, value === chosen));
  }
  return list;
}

function field(label: string, control: HTMLElement): HTMLLabelElement {
  const row = document.createElement('label');
  row.append(label, control);
  return row;
}
