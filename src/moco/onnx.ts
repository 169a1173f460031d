import { FormatError } from '../core/errors.js';
import { onnxResNet } from '../io/onnx-resnet.js';
import { type EncoderFile, isVit } from './encoder.js';

/**
 * The files of a folder that transformers.js loads as an `image-feature-extraction` pipeline: by their names, the model
 * in ONNX and how pictures are prepared. Call the pipeline with `{ pool: true }` for one vector a picture.
 * @throws FormatError for other encoders than ResNets.
 */
export function onnxFolder({ tensors, architecture, normalisation: { size, mean, std } }: EncoderFile): Map<string, Uint8Array | string> {
  if (isVit(architecture)) throw new FormatError(`export: the encoder must be a ResNet; got a vision transformer of ${architecture.depth} blocks. Use dawngrad embed for its features.`);
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  const config = { model_type: 'resnet', architectures: ['ResNetModel'], depths: architecture.blocks, layer_type: architecture.bottleneck ? 'bottleneck' : 'basic', num_channels: 3 };
  const preprocessor = {
    image_processor_type: 'ViTImageProcessor', do_convert_rgb: true,
    do_resize: true, size: { shortest_edge: size }, resample: 3, do_center_crop: true, crop_size: { height: size, width: size },
    do_rescale: true, rescale_factor: 1 / 255, do_normalize: true, image_mean: mean, image_std: std,
  };
  return new Map<string, Uint8Array | string>([
    ['config.json', json(config)],
    ['preprocessor_config.json', json(preprocessor)],
    ['onnx/model.onnx', onnxResNet(tensors, architecture)],
  ]);
}
