  // Inside main, after the sums l$i, r$i were stored: the statistics of the tile's columns over its first `rows` rows, which go to
  // mean and m2 at `to`, where the tile `holdsLeft` and `holdsRight`. Of every column the mean, less its first value, or far from 0
  // it would be rounded to its ulp, and then the sum of squared deviations from it, both summed in order of rows.
  #for i in 0..8
  l$i = select(l$i, quantizeToF16(l$i), HALF == 1u);
  r$i = select(r$i, quantizeToF16(r$i), HALF == 1u);
  #end
  workgroupBarrier();
  if (thread < SIDE) {
    aTile[thread] = l0;
    aTile[thread + SIDE] = r0;
  }
  workgroupBarrier();
  let pivotLeft = aTile[thread % SIDE];
  let pivotRight = aTile[thread % SIDE + SIDE];
  var left = vec4f();
  var right = vec4f();
  #for i in 0..8
  let counts$i = ($iu / 4u * SIDE + thread / SIDE) * 4u + $iu % 4u < rows;
  l$i = select(vec4f(), l$i - pivotLeft, counts$i);
  r$i = select(vec4f(), r$i - pivotRight, counts$i);
  left += l$i;
  right += r$i;
  #end
  bTile[thread] = left;
  bTile[thread + THREADS] = right;
  workgroupBarrier();
  var meanLeft = vec4f();
  var meanRight = vec4f();
  for (var i = thread % SIDE; i < THREADS; i += SIDE) {
    meanLeft += bTile[i];
    meanRight += bTile[i + THREADS];
  }
  meanLeft /= f32(max(rows, 1u));
  meanRight /= f32(max(rows, 1u));
  left = vec4f();
  right = vec4f();
  #for i in 0..8
  l$i = select(vec4f(), l$i - meanLeft, counts$i);
  r$i = select(vec4f(), r$i - meanRight, counts$i);
  left = fma(l$i, l$i, left);
  right = fma(r$i, r$i, right);
  #end
  aTile[thread] = left;
  aTile[thread + THREADS] = right;
  workgroupBarrier();
  if (thread < SIDE) {
    left = vec4f();
    right = vec4f();
    for (var i = thread; i < THREADS; i += SIDE) {
      left += aTile[i];
      right += aTile[i + THREADS];
    }
    if (holdsLeft & (rows > 0u)) {
      mean[to] = meanLeft;
      m2[to] = left;
    }
    if (holdsRight & (rows > 0u)) {
      mean[to + SIDE] = meanRight;
      m2[to + SIDE] = right;
    }
  }
