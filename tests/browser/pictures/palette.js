// A picture again, with 256 colours at most: a fraction of its size, and no difference that anybody sees on a page of ours. Evaluated in a
// blank page; base64 in, base64 out. What the parts mean is told in the PNG specification (RFC 2083).
async (encoded) => {
  const { pixels, width, height } = await read(encoded);
  const { palette, indices } = reduce(pixels);
  const raw = new Uint8Array(height * (width + 1)); // each row begins with its filter: none
  for (let row = 0; row < height; row++) raw.set(indices.subarray(row * width, (row + 1) * width), row * (width + 1) + 1);
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 3, 0, 0, 0], 8); // 8 bits, by palette
  const colours = new Uint8Array(palette.flatMap((colour) => [colour & 255, (colour >> 8) & 255, (colour >> 16) & 255]));
  const file = [new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]), chunk("IHDR", header), chunk("PLTE", colours)];
  return write([...file, chunk("IDAT", await deflate(raw)), chunk("IEND", new Uint8Array())]);

  async function read(text) {
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0))], { type: "image/png" }));
    const drawn = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    drawn.drawImage(bitmap, 0, 0);
    const { data } = drawn.getImageData(0, 0, bitmap.width, bitmap.height);
    return { pixels: new Uint32Array(data.buffer), width: bitmap.width, height: bitmap.height };
  }

  function reduce(seen) {
    const counts = new Map();
    for (const colour of seen) counts.set(colour, (counts.get(colour) ?? 0) + 1);
    const byUse = [...counts.keys()].sort((one, other) => counts.get(other) - counts.get(one) || one - other);
    const kept = byUse.slice(0, 256);
    const places = new Map(kept.map((colour, place) => [colour, place]));
    for (const colour of byUse.slice(256)) places.set(colour, nearest(colour, kept));
    return { palette: kept, indices: Uint8Array.from(seen, (colour) => places.get(colour)) };
  }

  function nearest(colour, kept) {
    let [best, least] = [0, Infinity];
    kept.forEach((one, place) => {
      const far = [0, 8, 16].reduce((sum, shift) => sum + (((one >> shift) & 255) - ((colour >> shift) & 255)) ** 2, 0);
      if (far < least) [best, least] = [place, far];
    });
    return best;
  }

  async function deflate(bytes) {
    return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"))).arrayBuffer());
  }

  function chunk(kind, body) {
    const made = new Uint8Array(12 + body.length);
    const parts = new DataView(made.buffer);
    parts.setUint32(0, body.length);
    made.set([...kind].map((sign) => sign.charCodeAt(0)), 4);
    made.set(body, 8);
    parts.setUint32(8 + body.length, crc(made.subarray(4, 8 + body.length)));
    return made;
  }

  function crc(bytes) {
    let rest = 0xffffffff;
    for (const byte of bytes) {
      rest ^= byte;
      for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
    }
    return (rest ^ 0xffffffff) >>> 0;
  }

  function write(parts) {
    let text = "";
    for (const part of parts) for (const byte of part) text += String.fromCharCode(byte);
    return btoa(text);
  }
}
