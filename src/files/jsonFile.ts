/** JSON files, read whole. Knows no schema. */
import { InputError } from '../errors.ts';
import { parseJson } from '../results.ts';
import { quoted, readInto, withFile } from './bytes.ts';

/** Largest file read; the largest published tokenizers take 40 MB. */
const maxBytes = 2 ** 29;

/**
 * The text of a UTF-8 file. Throws InputError where it cannot be read, is larger than half a GiB, or is not
 * UTF-8.
 */
export async function readText(path: string): Promise<string> {
  return withFile(path, async (file) => {
    if (file.size > maxBytes)
      throw new InputError(`${path}: expected at most ${maxBytes} bytes, found ${file.size}`);
    const bytes = new Uint8Array(file.size);
    await readInto(file, bytes, 0);
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      throw new InputError(`${path}: expected UTF-8, found invalid bytes`);
    }
  });
}

/** The value of a JSON file. Throws InputError as `readText` does, or where it is not JSON. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readText(path);
  try {
    return parseJson(text);
  } catch (error) {
    throw new InputError(`${path}: expected JSON: ${quoted(String(error))}`);
  }
}
