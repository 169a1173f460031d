// One copy of tfjs with its gradients, which the core alone does not register.
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-backend-webgpu';
export * from '@tensorflow/tfjs-core';
