// Digits drawn by hand.
Object.assign(vaebook.forms, (() => {
  "use strict";
  const SIZE = 28;

  // vaebook.explorers.handwriting.image_of: strokes of points [x, y] as pixels, 1 is ink
  function imageOf(strokes, { height, pen }) {
    const sides = vaebook.forms.columnsOf(strokes.flat());
    const [low, high] = [Math.min, Math.max].map((end) => sides.map((values) => end(...values)));
    const scale = (height - 2 * pen) / Math.max(high[0] - low[0], high[1] - low[1], 1);
    const ink = new Array(SIZE * SIZE).fill(0);
    for (const stroke of strokes) {
      const places = stroke.map((point) => point.map((value, d) => scale * (value - (low[d] + high[d]) / 2)));
      places.forEach(([ax, ay], k) => {
        const end = places[k + 1] ?? places[k];
        const dx = end[0] - ax, dy = end[1] - ay, length = dx * dx + dy * dy;
        for (let i = 0; i < SIZE * SIZE; i++) {
          const x = (i % SIZE) - 13.5 - ax, y = 13.5 - Math.floor(i / SIZE) - ay;
          const along = length ? Math.min(1, Math.max(0, (x * dx + y * dy) / length)) : 0;
          const right = x - along * dx, up = y - along * dy;
          if (right * right + up * up <= pen * pen) ink[i] = 1;
        }
      });
    }
    return ink;
  }

  return { imageOf };
})());
