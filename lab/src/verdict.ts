/**
 * Test cells speak: passed, with what was checked and the points; failed, the message first.
 *
 * All of it is the front's: a test that passes prints nothing, here or when it is graded. The line
 * on a passed test is an output of its cell, kept in the student's notebook; that on a failed one is
 * how its error is shown. When work is graded, cells run again, and get other outputs.
 */
import type { Cell, ICodeCellModel } from '@jupyterlab/cells';
import type { IError, IOutput } from '@jupyterlab/nbformat';
import { type INotebookTracker, type Notebook, NotebookActions } from '@jupyterlab/notebook';
import { type IRenderMimeRegistry, RenderedCommon, renderError } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { PartialJSONObject } from '@lumino/coreutils';
import type { Message } from '@lumino/messaging';

import { announce } from './shell';
import { count } from './words';

const PASSED = 'application/vnd.autograder.test+json';
const ERROR = 'application/vnd.jupyter.error';
/** What a comment in the head of a test begins with if it says nothing of what is checked. */
const ABOUT_GRADING = /^When graded\b/;
/** An instructor's version, whose outputs are compared. */
const SOLUTION = '### BEGIN SOLUTION';
const MAX_CALLS = 3;

type Outcome = 'passed' | 'partial' | 'pending' | 'failed' | 'open';

interface IVerdict extends PartialJSONObject {
  outcome: Outcome;
  head: string;
  detail: string;
}

const SIGNS: Record<Outcome, string> = {
  passed: '✓',
  partial: '◐',
  pending: '…',
  failed: '✗',
  open: '○'
};

/** Show the outcome of each test cell in notebooks of this tracker. */
export function speak(tracker: INotebookTracker, registry: IRenderMimeRegistry): void {
  registry.addFactory(
    { safe: true, mimeTypes: [PASSED], createRenderer: options => new PassedTest(options) },
    0
  );
  registry.addFactory(
    {
      safe: true,
      mimeTypes: [ERROR],
      createRenderer: options => new TestError(options, node => cellOf(tracker, node))
    },
    0
  );
  NotebookActions.executed.connect((_, { notebook, cell, success }) => {
    const points = pointsOf(cell);
    if (points === null || tracker.find(panel => panel.content === notebook) === undefined) {
      return;
    }
    const model = cell.model as ICodeCellModel;
    if (success && model.executionCount !== null && !isInstructors(notebook)) {
      const verdict = verdictOn(nameOf(cell), model.sharedModel.source, points, model.outputs.toJSON());
      const text = [`${SIGNS[verdict.outcome]} ${verdict.head}`, verdict.detail].join(' ').trim();
      const data = { [PASSED]: verdict, 'text/plain': text };
      model.outputs.add({ output_type: 'display_data', data, metadata: {} });
      announce(text);
    } else if (!success) {
      const error = model.outputs.toJSON().find(output => output.output_type === 'error');
      if (error) {
        const { head, detail } = verdictOnError(error as IError, points);
        announce(`${head} ${detail}`);
      }
    }
  });
}

/** Return the points of a test cell; null for any other cell. */
function pointsOf(cell: Cell): number | null {
  const nbgrader = cell.model.getMetadata('nbgrader');
  const isTest = cell.model.type === 'code' && nbgrader?.grade === true && !nbgrader.solution;
  return isTest ? Number(nbgrader.points) || 0 : null;
}

/** Return the name of the exercise that a cell tests. */
function nameOf(cell: Cell): string {
  const id = String(cell.model.getMetadata('nbgrader')?.grade_id ?? '');
  return id.replace(/^(test|hidden)[-_]/, '');
}

function isInstructors(notebook: Notebook): boolean {
  return notebook.widgets.some(cell => cell.model.sharedModel.source.includes(SOLUTION));
}

function cellOf(tracker: INotebookTracker, node: Element): Cell | undefined {
  const cell = node.closest('.jp-Cell');
  const notebook = tracker.find(panel => panel.node.contains(cell))?.content;
  return notebook?.widgets.find(widget => widget.node === cell);
}

/** Return the verdict on a test that ran to its end. */
export function verdictOn(
  name: string,
  source: string,
  points: number,
  outputs: IOutput[]
): IVerdict {
  const remark = firstRemark(source);
  if (!hasCode(source)) {
    return { outcome: 'pending', head: `${capital(worth(points))}, tested after you hand in.`, detail: '' };
  }
  const mark = lastNumber(outputs);
  if (mark !== null && mark !== points) {
    const isPartial = mark >= 0 && mark < points;
    const earned = Number(mark.toFixed(2));
    return isPartial
      ? { outcome: 'partial', head: `Partly: ${earned} of ${worth(points)}.`, detail: remark }
      : { outcome: 'failed', head: `Failed: the mark was ${earned}.`, detail: remark };
  }
  const detail = remark || calls(name, source) || name;
  return { outcome: 'passed', head: `Passed, ${worth(points)}:`, detail };
}

/** Return the verdict on a test that raised an error. */
function verdictOnError(error: IError, points: number): IVerdict {
  const message = error.evalue.trim();
  if (error.ename === 'NotImplementedError' && !message) {
    return { outcome: 'open', head: 'There is no answer yet.', detail: `${capital(worth(points))}.` };
  }
  const isClaim = error.ename === 'AssertionError' && message;
  const hint = error.ename === 'NameError' ? '. Have you run the cells above?' : '';
  const detail = isClaim ? message : [error.ename, message].filter(Boolean).join(': ') + hint;
  return { outcome: 'failed', head: `Failed, ${worth(points)}:`, detail };
}

function worth(points: number): string {
  return points ? count(points, 'point') : 'no points';
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function hasCode(source: string): boolean {
  return source.split('\n').some(line => line.trim() && !line.trim().startsWith('#'));
}

/** Return the comment, or the docstring, that a test begins with, on one line; else nothing. */
function firstRemark(source: string): string {
  const comment = /^(?:#[^\n]*(?:\n|$))+/.exec(source.trimStart())?.[0].replace(/^#+ ?/gm, '');
  const docstring = /^[rR]?("""|''')([\s\S]*?)\1/.exec(source.trimStart())?.[2];
  const text = (comment ?? docstring ?? '').replace(/\s+/g, ' ').trim();
  return ABOUT_GRADING.test(text) ? '' : text;
}

/** Return the calls of an exercise that a test names in its messages, as "f(3), f(4) and 2 more". */
function calls(name: string, source: string): string {
  const quoted = Array.from(source.matchAll(/(?<![\w])(["'])((?:(?!\1)[^\\\n{}])+)\1/g), hit => hit[2]);
  const known = Array.from(new Set(quoted.filter(text => text.startsWith(`${name}(`) && text.endsWith(')'))));
  const more = known.length - MAX_CALLS;
  return known.slice(0, MAX_CALLS).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** Return the number that ends a test, its partial mark; null where it ends otherwise. */
function lastNumber(outputs: IOutput[]): number | null {
  const results = outputs.filter(output => output.output_type === 'execute_result');
  const data = results.at(-1)?.data as Record<string, unknown> | undefined;
  const text = String(data?.['text/plain'] ?? '').replace(/^np\.\w+\((.+)\)$/, '$1');
  return text.trim() && Number.isFinite(Number(text)) ? Number(text) : null;
}

function paragraph(verdict: IVerdict): HTMLParagraphElement {
  const line = document.createElement('p');
  const outcome = verdict.outcome in SIGNS ? verdict.outcome : 'failed';
  line.className = `course-verdict course-${outcome}`;
  const sign = document.createElement('span');
  sign.setAttribute('aria-hidden', 'true');
  sign.textContent = SIGNS[outcome];
  const head = document.createElement('strong');
  head.textContent = verdict.head;
  line.append(sign, ' ', head, ' ', verdict.detail);
  return line;
}

/** The line on a test that passed. */
class PassedTest extends RenderedCommon {
  async render(model: IRenderMime.IMimeModel): Promise<void> {
    this.node.replaceChildren(paragraph(model.data[PASSED] as IVerdict));
  }
}

/** An error: as ever, and in a test cell its message first, and the traceback folded. */
class TestError extends RenderedCommon {
  constructor(
    private options: IRenderMime.IRendererOptions,
    private cell: (node: Element) => Cell | undefined
  ) {
    super(options);
    this.addClass('jp-RenderedText');
    this.addClass('course-error');
  }

  async render(model: IRenderMime.IMimeModel): Promise<void> {
    this._error = model.data[ERROR] as unknown as IError;
    const { ename, evalue, traceback } = this._error;
    const source = traceback.join('\n') || `${ename}: ${evalue}`;
    const { sanitizer, resolver, linkHandler, translator } = this.options;
    const host = document.createElement('div');
    await renderError({ host, sanitizer, resolver, linkHandler, translator, source });
    this._traceback = host;
    this._arrange();
  }

  protected onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    this._arrange();
  }

  /** Show what was rendered; only in the page is it known to what cell it belongs. */
  private _arrange(): void {
    if (!this._traceback || !this._error) {
      return;
    }
    const cell = this.isAttached ? this.cell(this.node) : undefined;
    const points = cell ? pointsOf(cell) : null;
    if (points === null) {
      this.node.replaceChildren(this._traceback);
      return;
    }
    const folded = document.createElement('details');
    const summary = document.createElement('summary');
    summary.textContent = 'Traceback';
    folded.append(summary, this._traceback);
    this.node.replaceChildren(paragraph(verdictOnError(this._error, points)), folded);
  }

  private _error: IError | null = null;
  private _traceback: HTMLElement | null = null;
}
