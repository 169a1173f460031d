import { crc32c } from './crc.js';

/** Turned and moved by a constant, so that a check of data that holds checks is still a check. */
const masked = (bytes: Uint8Array): number => (((crc32c(bytes) >>> 15) | (crc32c(bytes) << 17)) + 0xa282ead8) >>> 0;

const HEAD = 12; // bytes: the length in eight, its check
const TAIL = 4; // the check of the payload

/** A record of a TFRecord file: length, its check, payload, its check (tensorflow.org/tutorials/load_data/tfrecord). */
export function tfRecord(payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(HEAD + payload.length + TAIL);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(payload.length), true);
  view.setUint32(8, masked(out.subarray(0, 8)), true);
  out.set(payload, HEAD);
  view.setUint32(HEAD + payload.length, masked(payload), true);
  return out;
}

/** Bytes of a file's leading records that are whole: where to go on when the last was cut off. */
export function wholeRecords(file: Uint8Array): number {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let at = 0;
  while (at + HEAD <= file.length) {
    const length = Number(view.getBigUint64(at, true));
    const [body, end] = [at + HEAD, at + HEAD + length + TAIL];
    if (view.getUint32(at + 8, true) !== masked(file.subarray(at, at + 8)) || end > file.length) break;
    if (view.getUint32(end - TAIL, true) !== masked(file.subarray(body, end - TAIL))) break;
    at = end;
  }
  return at;
}
