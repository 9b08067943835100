// Images as they travel and as a chart wants them: the picture's rows go upwards.
Object.assign(vaebook.forms, (() => {
  "use strict";
  const SIZE = 28;

  // The image with its rows in reverse order, the lowest first.
  function upwards(image) {
    const turned = new Float64Array(SIZE * SIZE);
    for (let row = 0; row < SIZE; row++) turned.set(image.slice(SIZE * row, SIZE * (row + 1)), SIZE * (SIZE - 1 - row));
    return turned;
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
  const greyImage = (table, k) => upwards(Array.from({ length: SIZE * SIZE }, (_, i) => {
    const byte = table[(SIZE * SIZE * k + i) >> 1];
    return i % 2 ? byte & 15 : byte >> 4;
  }));
  const blackOrWhite = (table, k) =>
    Array.from({ length: SIZE * SIZE }, (_, i) => (table[(SIZE * SIZE * k + i) >> 3] >> (7 - (i & 7))) & 1);

  return { upwards, sheet, greyImage, blackOrWhite };
})());
