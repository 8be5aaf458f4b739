/** Hand in: save, show what goes in, ask once, hand in, show the receipt. */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { ask, type ILesson, type IPreview, type IReceipt } from './api';
import { localTime, span, when } from './words';

/** Hand in a lesson; `save` saves its open notebooks. Return whether it was handed in. */
export async function handIn(lesson: ILesson, save: () => Promise<void>): Promise<boolean> {
  await save();
  const preview = await ask<IPreview>('autograder/hand-in', { lesson: lesson.name });
  const { button } = await showDialog({
    title: `Hand in ${lesson.title}?`,
    body: ReactWidget.create(<Preview lesson={lesson} preview={preview} />),
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: 'Hand in' })],
    defaultButton: 1
  });
  if (!button.accept) {
    return false;
  }
  await save(); // cells may have run meanwhile
  const receipt = await ask<IReceipt>('autograder/hand-in', {
    lesson: lesson.name,
    confirmed: true
  });
  await showReceipt(receipt);
  return true;
}

function Preview(props: { lesson: ILesson; preview: IPreview }): JSX.Element {
  const { lesson, preview } = props;
  const { answered, exercises, unanswered, checked, due, late_seconds, renamed } = preview;
  return (
    <div className="course-facts">
      <dl>
        <dt>Exercises answered</dt>
        <dd>
          {answered} of {exercises}
          {unanswered.length > 0 && `; still open: ${unanswered.join(', ')}`}
        </dd>
        <dt>Visible tests</dt>
        <dd>
          {checked
            ? `${checked.passed} of ${checked.tests} passed in your last check` +
              (checked.is_current ? '' : ', before your last changes')
            : 'not checked since you logged in'}
        </dd>
        {due && (
          <>
            <dt>Due</dt>
            <dd>
              {when(due)}
              {late_seconds > 0 && (
                <strong className="course-warning">{`, late by ${span(late_seconds)}`}</strong>
              )}
              {late_seconds > 0 && preview.late_policy && <p>{preview.late_policy}</p>}
            </dd>
          </>
        )}
        <dt>Files</dt>
        <dd>{preview.files.join(', ')}</dd>
      </dl>
      {preview.remarks.map(remark => (
        <p key={remark} className="course-remark">
          {remark}
        </p>
      ))}
      {renamed && (
        <p>
          {`Your notebook ${renamed.file} goes in under the name ${renamed.name}. `}
          Your own file stays as it is.
        </p>
      )}
      <p>
        {lesson.submitted
          ? `This replaces what you handed in on ${when(lesson.submitted)}.`
          : 'You can hand in again: the newest counts.'}
      </p>
    </div>
  );
}

/** Show a receipt, which can be downloaded. */
export async function showReceipt(receipt: IReceipt): Promise<void> {
  const address = URL.createObjectURL(new Blob([receiptText(receipt)], { type: 'text/plain' }));
  const day = receipt.submitted.slice(0, 10);
  await showDialog({
    title: `Handed in: ${receipt.title}`,
    body: ReactWidget.create(
      <div className="course-facts">
        <dl>
          <dt>Time</dt>
          <dd>
            {when(receipt.submitted)}
            {receipt.late_seconds > 0 && `, late by ${span(receipt.late_seconds)}`}
          </dd>
          <dt>Files</dt>
          <dd>{receipt.files.join(', ')}</dd>
          <dt>Digest (SHA-256)</dt>
          <dd>
            <code>{receipt.digest}</code>
          </dd>
        </dl>
        <p>The digest is a fingerprint of these files: other files, or one more letter, have another.</p>
        <p>
          <a href={address} download={`receipt-${receipt.lesson}-${day}.txt`}>
            Download the receipt
          </a>
        </p>
      </div>
    ),
    buttons: [Dialog.okButton({ label: 'Close' })]
  });
  URL.revokeObjectURL(address);
}

function receiptText(receipt: IReceipt): string {
  const late = receipt.late_seconds > 0 ? [`Late by    ${span(receipt.late_seconds)}`] : [];
  return [
    `Receipt for ${receipt.title}`,
    '',
    `Course     ${receipt.course}`,
    `Lesson     ${receipt.lesson}`,
    `Student    ${receipt.student}`,
    `Handed in  ${localTime(receipt.submitted)}`,
    `           ${receipt.submitted} (UTC)`,
    ...late,
    `SHA-256    ${receipt.digest}`,
    '',
    'Files',
    ...receipt.files.map(name => `  ${name}`),
    '',
    'Your instructor can compute the digest from the files in the exchange:',
    '  python -m autograder.grading.receipt FOLDER',
    ''
  ].join('\n');
}
