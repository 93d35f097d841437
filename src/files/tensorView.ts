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
  const { O, P, L, Q, lineStep, placeStep } = linesOf(view);
  const size = bytesPerElement[dtype];
  const span = (L - 1) * Q + 1;
  // Lines far apart are read one by one.
  const together = P > 0 && P <= 2 * span ? Math.max(1, Math.floor(pieceBytes / (P * size))) : 1;
  for (let first = 0; first < O; first += together) {
    const lines = Math.min(together, O - first);
    const piece = allocate(dtype, (lines - 1) * P + span);
    const bytes = new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
    await read(bytes, offset + first * P * size);
    for (let line = 0; line < lines; line++)
      for (let place = 0; place < L; place++)
        data[(first + line) * lineStep + place * placeStep] = piece[line * P + place * Q]!;
  }
  return tensor(dtype, shape, data);
}
