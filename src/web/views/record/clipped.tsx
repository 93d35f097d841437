/** A text of any length in little room: the rest shows when it is asked for. */
import { useState } from 'react';
import { count } from '../../format.ts';

const most = 160;

export function Clipped({ text }: { text: string }) {
  const [open, setOpen] = useState(false);
  if (text.length <= most) return <span className="clipped">{text}</span>;
  return (
    <span className="clipped">
      {open ? text : `${text.slice(0, most)}… `}
      <button type="button" onClick={() => setOpen(!open)}>
        {open ? 'show less' : `show all ${count(text.length)} characters`}
      </button>
    </span>
  );
}
