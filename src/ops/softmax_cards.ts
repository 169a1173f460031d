export { default as lanes } from '../../kernels/softmax_lanes.wgsl';
export { default as grad } from '../../kernels/softmax_lanes_grad.wgsl';
