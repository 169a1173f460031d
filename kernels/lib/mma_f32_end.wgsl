    // Inside main, at the end of a turn: whether another follows, by the largest values.
    let peak = overAll(vec2f(beyond(most.x, exponents.x), beyond(most.y, exponents.y)), thread);
    if (thread == 0u) { again = select(0u, 1u, max(peak.x, peak.y) > 0.0); }
    if (workgroupUniformLoad(&again) == 0u) { break; }
    if (peak.x > 0.0) { exponents.x = exponentOf(peak.x, LIMIT); }
    if (peak.y > 0.0) { exponents.y = exponentOf(peak.y, LIMIT); }
