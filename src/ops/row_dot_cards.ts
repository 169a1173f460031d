export { default as lanes } from '../../kernels/row_dot_lanes.wgsl';
