    // Inside main: SUBGROUP steps of a product. In step u the factor of row i is mine$i of thread u, which all get by
    // broadcast, and that of column j is w[w$j + k$u].
    #for u in 0..SUBGROUP
    #for j in 0..COLUMNS
    let weight$u_$j = w[w$j + k$u];
    #end
    #for i in 0..ROWS
    let value$u_$i = subgroupBroadcast(mine$i, $uu);
    #for j in 0..COLUMNS
    total$i_$j = fma(value$u_$i, weight$u_$j, total$i_$j);
    #end
    #end
    #end
