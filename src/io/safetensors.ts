export type { SafetensorsFile } from './safetensors-decode.js';
export { decodeSafetensors } from './safetensors-decode.js';
export { encodeSafetensors, safetensorsParts } from './safetensors-encode.js';
export type { StoredDType, StoredTensor } from './safetensors-types.js';
