// Flows: noise that follows a velocity.
Object.assign(vaebook.forms, (() => {
  "use strict";

  // vaebook.flows.euler_path in the plane; velocity(z, t) returns a pair
  function eulerPath(velocity, start, steps) {
    const path = [start];
    for (let k = 0; k < steps; k++) {
      const speed = velocity(path[k], k / steps);
      path.push(path[k].map((value, d) => value + speed[d] / steps));
    }
    return path;
  }

  // vaebook.explorers.sampler.place
  function placeOnPath(path, t) {
    const steps = path.length - 1;
    const k = Math.min(Math.floor(t * steps), steps - 1);
    return path[k].map((value, d) => value + (t * steps - k) * (path[k + 1][d] - value));
  }

  return { eulerPath, placeOnPath };
})());
