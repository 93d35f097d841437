/** A text to take along. */
import { useState } from 'react';
import { Scroll } from '../../parts/scroll.tsx';

/** The browser decides whether a page may copy; it says why not. */
interface CopyableProps {
  readonly text: string;
  readonly label: string;
  readonly prose?: boolean;
}

export function Copyable({ text, label, prose = false }: CopyableProps) {
  const [said, setSaid] = useState('');
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setSaid('copied'),
      (error: Error) => setSaid(error.message),
    );
  return (
    <div className="copyable">
      <Scroll label={label}>
        <pre className={prose ? 'prose' : undefined}>{text}</pre>
      </Scroll>
      <button type="button" onClick={copy}>
        copy
      </button>{' '}
      <span role="status" className="quiet">
        {said}
      </span>
    </div>
  );
}
