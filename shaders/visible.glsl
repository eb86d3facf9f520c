// Which keys a query row sees, and how they are split among work groups.
// Splits begin at multiples of p.split, so that sums do not depend on anything
// but positions.

// Keys x <= key < y.
ivec2 visible_keys (uint row)
{
  if (p.causal == 0)
    return ivec2 (0, rows_of (p.n_keys));
  int token = int (token_of (p.rows, row)), position = step[FACET_STEP_POSITION] + token;
  int lo = p.window > 0 ? max (0, position - int (p.window) + 1) : 0;

  return ivec2 (lo, 1 + (p.spans != 0 ? step[step[FACET_STEP_VISIBLE_AT] + token] : position));
}

int first_split ()
{
  return p.split == 0 ? 0 : visible_keys (0).x / int (p.split);
}
