const SLICE = 0x2000; // few enough arguments for one call

/** `bytes` as a `data:` address that a page can carry in itself. */
export function dataUri(bytes: Uint8Array, type = 'image/png'): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += SLICE) text += String.fromCharCode(...bytes.subarray(at, at + SLICE));
  return `data:${type};base64,${btoa(text)}`;
}
