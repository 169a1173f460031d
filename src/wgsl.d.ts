/** Kernels are imported as text; the bundler and the test runner inline them. */
declare module '*.wgsl' {
  const source: string;
  export default source;
}
