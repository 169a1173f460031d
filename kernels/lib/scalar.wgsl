// What "special" works on in kernels that are never compiled for vectors; else "single" or "vec4" says it.
alias V = f32;
alias U = u32;
alias B = bool;
