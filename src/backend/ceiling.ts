/** What this adapter can do at most, as simple kernels reach it. */
export interface Ceiling {
  /** Multiplications and additions a second, fused: two operations each. */
  readonly flops: number;
  /** Bytes read and written a second. */
  readonly bytes: number;
}

const copy = /* wgsl */ `
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
override EACH = 1u;
override NEXT = 1u; // 1: a thread's vectors are neighbours; else they lie that far apart
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let start = select(id.x, id.x * EACH, NEXT == 1u);
  for (var i = 0u; i < EACH; i++) { y[start + i * NEXT] = x[start + i * NEXT]; }
}`;

/** Independent chains keep every lane of the adder busy. */
const chains = Array.from({ length: 12 }, (_, i) => i);
const fma = /* wgsl */ `
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
override EACH = 1u;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let m = x[0];
  ${chains.map((i) => `var a${i} = x[id.x % 64u + ${i}u];`).join(' ')}
  for (var i = 0u; i < EACH; i++) { ${chains.map((i) => `a${i} = fma(a${i}, m, m);`).join(' ')} }
  y[id.x] = ${chains.map((i) => `a${i}`).join(' + ')};
}`;

/** The best of several sizes and rounds of a copy kernel and of one that only multiplies and adds. */
export async function measureCeiling(device: GPUDevice, software: boolean): Promise<Ceiling> {
  const bytes = software ? 2 ** 24 : 2 ** 28;
  const [x, y] = [0, 1].map(() => device.createBuffer({ size: bytes, usage: GPUBufferUsage.STORAGE }));
  const best = { flops: 0, bytes: 0 };
  for (const EACH of software ? [16, 64] : [2, 4])
    for (const NEXT of [1, bytes / 16 / EACH]) {
      const seconds = await fastest(device, copy, { EACH, NEXT }, [x, y], bytes / 16 / 256 / EACH);
      best.bytes = Math.max(best.bytes, (2 * bytes) / seconds);
    }
  const [each, groups] = software ? [2000, 16] : [4000, 2048];
  const seconds = await fastest(device, fma, { EACH: each }, [x, y], groups);
  best.flops = (groups * 64 * each * chains.length * 4 * 2) / seconds;
  for (const buffer of [x, y]) buffer.destroy();
  return best;
}

async function fastest(device: GPUDevice, code: string, constants: Record<string, number>, buffers: GPUBuffer[], groups: number): Promise<number> {
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module: device.createShaderModule({ code }), constants } });
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  let least = Infinity;
  for (let round = 0; round < 8; round++) {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    for (let i = 0; i < 4; i++) pass.dispatchWorkgroups(groups);
    pass.end();
    const from = performance.now();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    if (round > 0) least = Math.min(least, (performance.now() - from) / 1000 / 4);
  }
  return least;
}
