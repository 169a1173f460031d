export { default as lanes } from '../../kernels/reduce_lanes.wgsl';
