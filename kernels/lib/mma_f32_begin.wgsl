    // Inside main, at the begin of a turn: scales, and sums of 0.
    let scales = vec2f(powerOf(exponents.x), powerOf(exponents.y));
    #for i in 0..TALL
    #for j in 0..WIDE
    c$i_$j = Sum();
    #end
    #end
