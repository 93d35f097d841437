/** The address of what is shown, to be sent to someone. */
import { useState } from 'react';
import { linkTo } from '../useRoute.ts';

interface CopyLinkProps {
  /** what it leads to, for one who cannot see where it stands */
  readonly of: string;
  /** undefined for what is shown now */
  readonly hash?: string;
}

export function CopyLink({ of, hash }: CopyLinkProps) {
  const [said, setSaid] = useState('');
  const copy = () =>
    navigator.clipboard.writeText(linkTo(hash ?? window.location.hash)).then(
      () => setSaid('copied'),
      (error: Error) => setSaid(error.message),
    );
  return (
    <span className="copy-link">
      <button type="button" onClick={copy} aria-label={`copy link to ${of}`}>
        copy link
      </button>{' '}
      <span role="status" className="quiet">
        {said}
      </span>
    </span>
  );
}
