/** The server's part: what it answers, and how it is asked. See autograder/service/course_api.py. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

/** One lesson, as a student sees it. Times are in ISO 8601, UTC. */
export interface ILesson {
  name: string;
  title: string;
  about: string;
  points: number;
  due: string | null;
  /** The notebook to open, from the root of the file browser; null until the lesson is fetched. */
  notebook: string | null;
  folder: string;
  answered: number;
  exercises: number;
  submitted: string | null;
  /** What lateness costs, in a sentence; empty if that is not known. */
  late_policy: string;
  late_seconds: number;
  /** The points that the newest feedback deducts for lateness. */
  penalty: number | null;
  digest: string | null;
  changed: boolean;
  score: number | null;
  max_score: number | null;
  /** Whether the feedback is to an earlier submission than the newest. */
  feedback_is_old: boolean;
  feedback: 'none' | 'new' | 'fetched';
  can_hand_in: boolean;
  next: Action;
}

export type Action = 'get' | 'open' | 'hand-in' | 'feedback';

/** What would be handed in now. */
export interface IPreview {
  answered: number;
  exercises: number;
  unanswered: string[];
  /** The last check of this notebook; null if there was none since the server started. */
  checked: { passed: number; tests: number; is_current: boolean } | null;
  due: string | null;
  late_policy: string;
  late_seconds: number;
  /** What the student should see to before. */
  remarks: string[];
  renamed: { file: string; name: string } | null;
  files: string[];
}

/** What was handed in. */
export interface IReceipt {
  course: string;
  lesson: string;
  title: string;
  student: string;
  submitted: string;
  late_seconds: number;
  digest: string;
  files: string[];
}

/** The feedback to one submission. */
export interface IFeedback {
  lesson: string;
  title: string;
  submitted: string;
  pages: { name: string; score: number | null; max_score: number | null; html: string }[];
  /** Until when regrade requests are taken; null where they are not. */
  asks_until: string | null;
  /** Kinds of requests, each with what it says. */
  categories: Record<string, string>;
}

/** The result of the visible tests of one notebook. */
export interface IChecked {
  tests: {
    name: string;
    cell_id: string;
    points: number;
    passed: boolean;
    unanswered: boolean;
    message: string;
    changed: boolean;
  }[];
  notes: string[];
  answered: number;
  exercises: number;
}

/** Return what the server answers; throw an Error with a message for the student. */
export async function ask<T>(path: string, body?: unknown): Promise<T> {
  const settings = ServerConnection.makeSettings();
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  let response: Response;
  try {
    response = await ServerConnection.makeRequest(
      URLExt.join(settings.baseUrl, path),
      { ...init, cache: 'no-store' },
      settings
    );
  } catch {
    throw new Error('The server cannot be reached. Is your connection up, and your server running?');
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok || answer === null) {
    throw new Error(answer?.message || `The server responded with status ${response.status}.`);
  }
  return answer as T;
}
