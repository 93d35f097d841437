/**
 * An SVG as a PNG, with text in the font that travels with the package: no font of the machine is looked at,
 * so the bytes are the same everywhere. The font has Latin, Greek, Cyrillic and Hebrew letters; what it lacks
 * is drawn as nothing.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { initWasm, Resvg } from '@resvg/resvg-wasm';

const require = createRequire(import.meta.url);

/** The module of each process can be started once only. */
let started: Promise<Uint8Array> | undefined;

async function start(): Promise<Uint8Array> {
  await initWasm(await readFile(require.resolve('@resvg/resvg-wasm/index_bg.wasm')));
  return readFile(require.resolve('@expo-google-fonts/open-sans/400Regular/OpenSans_400Regular.ttf'));
}

/** Bytes of a PNG of `scale` (default 2) times the SVG's width and height in pixels, on white. */
export async function steeringPng(
  svg: string,
  { scale = 2 }: { readonly scale?: number } = {},
): Promise<Uint8Array> {
  if (!(scale > 0 && scale <= 16))
    throw new Error(`PNG: scale should be above 0, at most 16; it is ${scale}`);
  started ??= start();
  const resvg = new Resvg(svg, {
    background: 'white',
    fitTo: { mode: 'zoom', value: scale },
    font: { fontBuffers: [await started], defaultFontFamily: 'Open Sans', sansSerifFamily: 'Open Sans' },
  });
  try {
    const image = resvg.render();
    const bytes = image.asPng();
    image.free();
    return bytes;
  } finally {
    resvg.free();
  }
}
