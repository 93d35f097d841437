/** Formats of a single file of tensors, told apart by the names of its tensors. */
import type { SaeFolder } from './format.ts';

const endings = /\.(?:safetensors|pt|pth|npz)$/;

/** The only file of tensors of a folder; undefined where it has none or several. */
export function onlyFile(names: readonly string[]): string | undefined {
  const files = names.filter((name) => endings.test(name));
  return files.length === 1 ? files[0] : undefined;
}

/** Whether a folder has only one file of tensors, and that holds all of these. */
export const holds =
  (...wanted: readonly string[]) =>
  async (names: readonly string[], folder: SaeFolder): Promise<boolean> => {
    const file = onlyFile(names);
    if (file === undefined) return false;
    const { tensors } = await folder.tensors(file);
    return wanted.every((name) => tensors.has(name));
  };
