/** My course: each lesson with its status and the next step. */
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { type Action, ask, type ILesson } from './api';
import { courseIcon } from './icon';
import { count, span, when } from './words';

const REFRESH = 60_000; // milliseconds after which a list in view is read again

/** What My course can do with a lesson. Each may throw an Error with a message for the student. */
export type Steps = Record<Action | 'check' | 'receipt', (lesson: ILesson) => Promise<unknown>>;

const LABELS: Record<keyof Steps, string> = {
  get: 'Get',
  open: 'Open',
  check: 'Check',
  'hand-in': 'Hand in',
  feedback: 'Feedback',
  receipt: 'Receipt'
};

/** The list of lessons. It is read again when it comes into view, and after each step. */
export class MyCourse extends ReactWidget {
  constructor(steps: Steps) {
    super();
    this.id = 'course-lessons';
    this.addClass('course-lessons');
    this.title.label = 'My course';
    this.title.icon = courseIcon;
    this.title.closable = true;
    this.node.tabIndex = -1;
    this._steps = steps;
    this._timer = window.setInterval(() => this.isVisible && void this.refresh(), REFRESH);
  }

  dispose(): void {
    window.clearInterval(this._timer);
    super.dispose();
  }

  /** Read the list again; fetch the feedback that is new. */
  async refresh(): Promise<void> {
    try {
      let list = await read();
      const fresh = list.lessons.filter(lesson => lesson.feedback === 'new');
      for (const lesson of fresh) {
        await ask('autograder/feedback', { lesson: lesson.name });
      }
      list = fresh.length ? await read() : list;
      this._lessons = list.lessons;
      this._remark = list.remark;
    } catch (error) {
      this._remark = (error as Error).message;
    }
    this.update();
  }

  protected onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    void this.refresh();
  }

  protected onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    this.node.focus();
  }

  protected onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    void this.refresh();
  }

  protected render(): JSX.Element {
    return (
      <main className="course-page" aria-label="My course">
        <h1>My course</h1>
        <p role="status" className={this._remark ? 'course-remark' : ''}>
          {this._remark}
        </p>
        {this._lessons?.length === 0 && !this._remark && <p>No lesson has been released yet.</p>}
        <ul>
          {this._lessons?.map(lesson => (
            <Row
              key={lesson.name}
              lesson={lesson}
              busy={this._busy}
              focus={this._focus === lesson.name}
              run={(step: keyof Steps) => void this._run(step, lesson)}
            />
          ))}
        </ul>
      </main>
    );
  }

  private async _run(step: keyof Steps, lesson: ILesson): Promise<void> {
    if (this._busy) {
      return;
    }
    const hadFocus = this.node.contains(document.activeElement);
    this._busy = `${LABELS[step]} ${lesson.title}`;
    this._remark = '';
    this.update();
    let problem = '';
    try {
      await this._steps[step](lesson);
    } catch (error) {
      problem = (error as Error).message;
    }
    this._busy = '';
    await this.refresh();
    this._remark = problem || this._remark;
    // The button that was pressed may have gone: the next one takes its place.
    this._focus = hadFocus && this.isVisible ? lesson.name : '';
    this.update();
  }

  private _steps: Steps;
  private _timer: number;
  private _lessons: ILesson[] | null = null;
  private _remark = '';
  private _busy = '';
  private _focus = '';
}

function read(): Promise<{ lessons: ILesson[]; remark: string }> {
  return ask('autograder/lessons');
}

function Row(props: {
  lesson: ILesson;
  busy: string;
  focus: boolean;
  run: (step: keyof Steps) => void;
}): JSX.Element {
  const { lesson, busy, focus, run } = props;
  const steps = React.useRef<HTMLDivElement>(null);
  React.useEffect(() => {
    if (focus && document.activeElement === document.body) {
      steps.current?.querySelector('button')?.focus();
    }
  }, [focus, lesson.next]);
  const id = `course-${lesson.name}`;
  return (
    <li className="course-lesson" aria-labelledby={id}>
      <div className="course-text">
        <h2 id={id}>{lesson.title}</h2>
        {lesson.about && <p className="course-about">{lesson.about}</p>}
        <Status lesson={lesson} />
      </div>
      <div className="course-steps" ref={steps}>
        {stepsOf(lesson).map(step => {
          const label = `${LABELS[step]} ${lesson.title}`;
          const look = step === lesson.next ? 'jp-mod-accept' : 'jp-mod-reject';
          return (
            <button
              key={step}
              type="button"
              className={`jp-mod-styled ${look}`}
              aria-label={label}
              aria-disabled={busy !== ''}
              onClick={() => run(step)}
            >
              {busy === label ? `${LABELS[step]} …` : LABELS[step]}
            </button>
          );
        })}
      </div>
    </li>
  );
}

/** Return what can be done with a lesson now, the next step first. */
function stepsOf(lesson: ILesson): (keyof Steps)[] {
  const fetched = lesson.notebook !== null;
  const possible: [keyof Steps, boolean][] = [
    ['get', lesson.next === 'get'],
    ['open', fetched],
    ['check', fetched],
    ['hand-in', lesson.can_hand_in],
    ['feedback', lesson.feedback !== 'none'],
    ['receipt', lesson.submitted !== null]
  ];
  const steps = possible.filter(([, can]) => can).map(([step]) => step);
  return steps.sort((a, b) => Number(b === lesson.next) - Number(a === lesson.next));
}

function Status(props: { lesson: ILesson }): JSX.Element {
  const { lesson } = props;
  const { answered, exercises, submitted, score } = lesson;
  return (
    <p className="course-status">
      <span>{count(lesson.points, 'point')}</span>
      {lesson.due && <span title={lesson.late_policy}>{`Due ${when(lesson.due)}`}</span>}
      <span>
        {lesson.notebook === null
          ? submitted
            ? 'Your notebook is gone'
            : 'Not started'
          : `${answered} of ${count(exercises, 'exercise')} answered`}
      </span>
      {submitted && (
        <span>
          {`Handed in ${when(submitted)}`}
          {lesson.late_seconds > 0 && `, late by ${span(lesson.late_seconds)}`}
          {lesson.changed && ', changed since'}
        </span>
      )}
      {score !== null && (
        <strong>
          {`Marks: ${score} of ${lesson.max_score}`}
          {lesson.penalty !== null && `, ${count(lesson.penalty, 'point')} deducted for lateness`}
          {lesson.feedback_is_old && ' for an earlier hand-in'}
        </strong>
      )}
    </p>
  );
}
