// The binary frame: uint32 little-endian header length, JSON header, body.

/** Return header and body of one frame. */
export function unpack(buffer) {
  if (buffer.byteLength < 4) throw new RangeError(`a frame has at least 4 bytes, got ${buffer.byteLength}`);
  const length = new DataView(buffer).getUint32(0, true);
  if (buffer.byteLength < 4 + length) {
    throw new RangeError(`the header has ${length} bytes, the frame only ${buffer.byteLength - 4}`);
  }
  const text = new TextDecoder().decode(new Uint8Array(buffer, 4, length));
  return {header: JSON.parse(text), body: new Uint8Array(buffer, 4 + length)};
}
