import { checkNormalisation } from '../input/evaluation-crop.js';
import { checkEncoderFile, type EncoderFile } from './encoder.js';

/**
 * The files of a folder that transformers.js loads as an `image-feature-extraction` pipeline: by their names, the model
 * in ONNX and how pictures are prepared. Call the pipeline with `{ pool: true }` for one vector a picture.
 */
export function onnxFolder(encoder: EncoderFile): Map<string, Uint8Array | string> {
  checkEncoderFile('onnxFolder', encoder);
  const { tensors, family, architecture } = encoder;
  const { size, mean, std } = checkNormalisation('onnxFolder', encoder.normalisation);
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  const preprocessor = {
    image_processor_type: 'ViTImageProcessor',
    do_convert_rgb: true,
    do_resize: true,
    size: { shortest_edge: size },
    resample: 3,
    do_center_crop: true,
    crop_size: { height: size, width: size },
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: mean,
    image_std: std,
  };
  return new Map<string, Uint8Array | string>([
    ['config.json', json({ ...family.config(architecture), num_channels: 3 })],
    ['preprocessor_config.json', json(preprocessor)],
    ['onnx/model.onnx', family.onnx(tensors, architecture)],
  ]);
}
