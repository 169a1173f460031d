    // Inside main: the sums += dy of a pixel, from `source` on, times value$j, what x has under the tap.
    #for k in 0..LOADS
    let mine$k = dy[source + o$k];
    #for b in 0..SUBGROUP
    let d$k_$b = subgroupBroadcast(mine$k, $bu);
    #for j in 0..COLUMNS
    total$k_$b_$j = fma(d$k_$b, value$j, total$k_$b_$j);
    #end
    #end
    #end
