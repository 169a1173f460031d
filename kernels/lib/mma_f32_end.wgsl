  // Inside main: the end of a turn. Another follows, with the scales of the largest values, where those need it.
  let peak = overAll(vec2f(beyond(most.x, exponents.x), beyond(most.y, exponents.y)), thread);
  if (thread == 0u) { again = select(0u, 1u, max(peak.x, peak.y) > 0.0); }
  if (workgroupUniformLoad(&again) == 0u) { break; }
  if (peak.x > 0.0) { exponents.x = exponentOf(peak.x, LIMIT); }
  if (peak.y > 0.0) { exponents.y = exponentOf(peak.y, LIMIT); }
  #for i in 0..A_LOADS
  aAt$i -= tiles * aStep;
  #end
  #for i in 0..B_LOADS
  bAt$i -= tiles * bStep;
  #end
  }
  let unscale = unscaleOf(exponents);
