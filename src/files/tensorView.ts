/**
 * Tensors whose values lie in a file in any order, gathered in pieces. Knows no format. Shapes of one or two
 * axes; O lines of L values each, lines P values apart and the values of a line Q apart.
 */
import { InputError } from '../errors.ts';
import {
  allocate,
  bytesPerElement,
  isDense,
  rowMajor,
  type StoredView,
  sizeOf,
  type Tensor,
  tensor,
} from '../tensor.ts';
import { readInto, shownShape, withFile } from './bytes.ts';
import { readTensor } from './safetensors.ts';

/** Fills `target` with the bytes from `position`. */
type ReadBytes = (target: Uint8Array, position: number) => Promise<void>;

/** Bytes read at once where lines lie close together: 16 MiB. */
const pieceBytes = 2 ** 24;

/** Reads a view of a file whole. Throws InputError where the file ends before, or for more than two axes. */
export async function readView(view: StoredView): Promise<Tensor> {
  if (isDense(view)) return readTensor(view);
  return withFile(view.file, (file) =>
    gathered(view, (target, position) => readInto(file, target, position)),
  );
}

/** Reads a view of bytes in memory whole. */
export async function readViewIn(bytes: Uint8Array, view: StoredView): Promise<Tensor> {
  return gathered(view, async (target, position) => {
    if (position + target.length > bytes.length)
      throw new InputError(
        `${view.file}: truncated: expected ${position + target.length} bytes or more, found ${bytes.length}`,
      );
    target.set(bytes.subarray(position, position + target.length));
  });
}

interface Lines {
  readonly O: number;
  readonly P: number;
  readonly L: number;
  readonly Q: number;
  /** where the value at (line, place) belongs in the row-major tensor: line·lineStep + place·placeStep */
  readonly lineStep: number;
  readonly placeStep: number;
}

/** The axis whose values lie closest together runs along the lines. */
function linesOf({ shape, strides = rowMajor(shape), file }: StoredView): Lines {
  if (shape.length > 2)
    throw new InputError(`${file}: expected a matrix or a vector, found the shape ${shownShape(shape)}`);
  const [n = 1, m = 1] = shape.length === 1 ? [1, shape[0]] : shape;
  const [p = 0, q = 1] = shape.length === 1 ? [0, strides[0]] : strides;
  const rows: Lines = { O: n, P: p, L: m, Q: q, lineStep: m, placeStep: 1 };
  const columns: Lines = { O: m, P: q, L: n, Q: p, lineStep: 1, placeStep: m };
  return q <= p || n === 1 ? rows : columns;
}

async function gathered(view: StoredView, read: ReadBytes): Promise<Tensor> {
  const { dtype, shape, offset } = view;
  const data = allocate(dtype, sizeOf(shape));
  if (data.length === 0) return tensor(dtype, shape, data);
  const lines = linesOf(view);
  const { O, P, L, Q } = lines;
  const size = bytesPerElement[dtype];
  const span = (L - 1) * Q + 1;
  // Lines far apart are read one by one.
  const together = P > 0 && P <= 2 * span ? Math.max(1, Math.floor(pieceBytes / (P * size))) : 1;
  const pieces = Array.from({ length: Math.ceil(O / together) }, (_, i) => i * together);
  await sideBySide(pieces, together > 1 ? 1 : linesAtOnce, async (first) => {
    const count = Math.min(together, O - first);
    const piece = allocate(dtype, (count - 1) * P + span);
    const bytes = new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
    await read(bytes, offset + first * P * size);
    spread(piece, first, count, lines, data);
  });
  return tensor(dtype, shape, data);
}

/** Lines read side by side where they are read one by one: a disk that answers late is asked ahead. */
const linesAtOnce = 16;

async function sideBySide<T>(items: readonly T[], width: number, use: (item: T) => Promise<void>) {
  let next = 0;
  const worker = async () => {
    while (next < items.length) await use(items[next++]!);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
}

/** Places of a line that are written in turn, so that what is written stays in the cache from line to line. */
const tile = 64;

/** Puts `count` lines from number `first` on, which lie in `piece`, to where they belong. */
function spread(
  piece: Tensor['data'],
  first: number,
  count: number,
  { P, L, Q, lineStep, placeStep }: Lines,
  data: Tensor['data'],
): void {
  if (Q === 1 && placeStep === 1) {
    for (let line = 0; line < count; line++)
      data.set(piece.subarray(line * P, line * P + L) as never, (first + line) * lineStep);
    return;
  }
  for (let begin = 0; begin < L; begin += tile)
    for (let line = 0; line < count; line++)
      for (let place = begin; place < Math.min(L, begin + tile); place++)
        data[(first + line) * lineStep + place * placeStep] = piece[line * P + place * Q]!;
}
