import { check, instance, text } from '../core/check.js';

const SLICE = 0x2000; // few enough arguments for one call

/** `bytes` as a `data:` address that a page can carry in itself. */
export function dataUri(bytes: Uint8Array, type = 'image/png'): string {
  check('dataUri', 'the bytes', bytes, instance(Uint8Array));
  check('dataUri', 'the type', type, text);
  let base = '';
  for (let at = 0; at < bytes.length; at += SLICE) base += String.fromCharCode(...bytes.subarray(at, at + SLICE));
  return `data:${type};base64,${btoa(base)}`;
}
