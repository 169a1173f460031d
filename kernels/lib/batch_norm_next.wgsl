    // Inside main, after "batch_norm_rows": x[at] moves on to the split's next row.
    at += p.C;
    l++;
    if (l == p.L) { l = 0u; at += skip; }
