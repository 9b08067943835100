// Images as they travel and as a chart wants them: the picture's rows go upwards.
Object.assign(vaebook.forms, (() => {
  "use strict";
  const SIZE = 28;

  // What lies at the place of each pixel of the picture, for at(i): the i-th from the top left.
  const upwards = (at) => Array.from({ length: SIZE * SIZE }, (_, i) => at(SIZE * (SIZE - 1 - Math.floor(i / SIZE)) + (i % SIZE)));

  // Image k of a table: with two pixels of 16 levels in a byte, or with eight black or white ones.
  const greyImage = (table, k) => upwards((i) => {
    const byte = table[(SIZE * SIZE * k + i) >> 1];
    return i % 2 ? byte & 15 : byte >> 4;
  });
  const blackOrWhite = (table, k) =>
    Array.from({ length: SIZE * SIZE }, (_, i) => (table[(SIZE * SIZE * k + i) >> 3] >> (7 - (i & 7))) & 1);

  return { upwards, greyImage, blackOrWhite };
})());
