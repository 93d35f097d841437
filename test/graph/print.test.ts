/** A graph as text. */
import { expect, it } from 'vitest';
import * as g from '../../src/graph/build.ts';
import { gradient } from '../../src/graph/gradient.ts';
import { print } from '../../src/graph/print.ts';
import { simplify } from '../../src/graph/simplify.ts';
import { f32, i64 } from '../../src/tensor.ts';

it('shows a node a line, with attributes, inputs, type and shape, then the outputs', () => {
  const x = g.input('x', ['tokens', 4]);
  const y = g.matmul(x, g.param('w', [3, 4]), { transB: true, alpha: 0.5 });
  const z = g.gather(g.add(y, g.scalar(2)), g.constant(i64([2], [1, 0])));
  expect(print({ outputs: { y, z } })).toMatchInlineSnapshot(`
    "%0 = input{name:x,shape:[tokens,4],dtype:f32}() f32[tokens, 4]
    %1 = param{name:w,shape:[3,4]}() f32[3, 4]
    %2 = matmul{transA:false,transB:true,alpha:0.5}(%0, %1) f32[tokens, 3]
    %3 = constant{2}() f32[]
    %4 = add(%2, %3) f32[tokens, 3]
    %5 = constant{1, 0}() i64[2]
    %6 = gather(%4, %5) f32[2, 3]
    y: %2
    z: %6"
  `);
});

it('leaves out the values of longer constants, and shows an output that two names share', () => {
  const y = g.constant(f32([3, 3], Array(9).fill(1)));
  expect(print({ outputs: { a: y, b: y } })).toMatchInlineSnapshot(`
    "%0 = constant{…}() f32[3, 3]
    a: %0
    b: %0"
  `);
});

it('the gradient of a norm and a product, simplified', () => {
  const x = g.input('x', ['tokens', 4]);
  const loss = g.sum(g.matmul(g.rmsNorm(x, g.param('n', [4]), 1e-5), g.param('w', [4, 3])), [0, 1]);
  const [dx] = gradient(loss, [x]);
  expect(print(simplify({ outputs: { dx: dx! } }))).toMatchInlineSnapshot(`
    "%0 = constant{1}() f32[]
    %1 = input{name:x,shape:[tokens,4],dtype:f32}() f32[tokens, 4]
    %2 = mul(%1, %1) f32[tokens, 4]
    %3 = sum{axes:[1]}(%2) f32[tokens, 1]
    %4 = constant{0.25}() f32[]
    %5 = mul(%3, %4) f32[tokens, 1]
    %6 = constant{0.000009999999747378752}() f32[]
    %7 = add(%5, %6) f32[tokens, 1]
    %8 = sqrt(%7) f32[tokens, 1]
    %9 = div(%0, %8) f32[tokens, 1]
    %10 = param{name:n,shape:[4]}() f32[4]
    %11 = rmsNorm{epsilon:0.00001}(%1, %10) f32[tokens, 4]
    %12 = param{name:w,shape:[4,3]}() f32[4, 3]
    %13 = matmul{transA:false,transB:false,alpha:1}(%11, %12) f32[tokens, 3]
    %14 = sum{axes:[0,1]}(%13) f32[1, 1]
    %15 = broadcastLike(%0, %14) f32[1, 1]
    %16 = broadcastLike(%15, %13) f32[tokens, 3]
    %17 = matmul{transA:false,transB:true,alpha:1}(%16, %12) f32[tokens, 4]
    %18 = mul(%17, %10) f32[tokens, 4]
    %19 = mul(%1, %9) f32[tokens, 4]
    %20 = mul(%18, %19) f32[tokens, 4]
    %21 = sum{axes:[1]}(%20) f32[tokens, 1]
    %22 = mul(%21, %4) f32[tokens, 1]
    %23 = mul(%19, %22) f32[tokens, 4]
    %24 = sub(%18, %23) f32[tokens, 4]
    %25 = mul(%9, %24) f32[tokens, 4]
    dx: %25"
  `);
});
