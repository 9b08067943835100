// Images as they travel and as a chart wants them: the picture's rows go upwards.
Object.assign(vaebook.forms, (() => {
  "use strict";
  const SIZE = 28;

  // What lies at the place of each pixel of the picture, for at(i): the i-th from the top left.
  function upwards(at) {
    const image = new Float64Array(SIZE * SIZE);
    for (let row = SIZE - 1, k = 0; row >= 0; row--) {
      for (let i = SIZE * row; i < SIZE * (row + 1); i++) image[k++] = at(i);
    }
    return image;
  }

  // Images side by side, `across` in a row and the first row on top, with `gap` pixels between: one
  // bitmap, which the browser has in a fraction of the time of many.
  function sheet(images, across, gap) {
    const step = SIZE + gap, columns = step * across - gap;
    const last = Math.ceil(images.length / across) - 1, rows = step * last + SIZE;
    const values = new Float64Array(columns * rows);
    images.forEach((image, k) => {
      const corner = columns * step * (last - Math.floor(k / across)) + step * (k % across);
      for (let row = 0; row < SIZE; row++) values.set(image.subarray(SIZE * row, SIZE * (row + 1)), corner + columns * row);
    });
    return [values, columns, rows, [0, columns], [0, rows]];
  }

  // Image k of a table: with two pixels of 16 levels in a byte, or with eight black or white ones.
  const greyImage = (table, k) => upwards((i) => {
    const byte = table[(SIZE * SIZE * k + i) >> 1];
    return i % 2 ? byte & 15 : byte >> 4;
  });
  const blackOrWhite = (table, k) =>
    Array.from({ length: SIZE * SIZE }, (_, i) => (table[(SIZE * SIZE * k + i) >> 3] >> (7 - (i & 7))) & 1);

  return { upwards, sheet, greyImage, blackOrWhite };
})());
