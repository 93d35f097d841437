/** Light, dark, or as the system says; the choice is kept by the browser. */
import { useEffect, useState } from 'react';

const themes = ['system', 'light', 'dark'] as const;
type Theme = (typeof themes)[number];

const key = 'culprit-theme';

/** Undefined where the browser gives a page no storage (a file in a sandbox). */
function storage(): Storage | undefined {
  try {
    return window.localStorage;
  } catch {
    return undefined;
  }
}

const kept = (): Theme => themes.find((theme) => theme === storage()?.getItem(key)) ?? 'system';

export function ThemeSwitch() {
  const [theme, setTheme] = useState(kept);
  useEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    storage()?.setItem(key, theme);
  }, [theme]);
  return (
    <select
      className="theme"
      aria-label="Colours"
      value={theme}
      onChange={({ target }) => setTheme(target.value as Theme)}
    >
      {themes.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}
