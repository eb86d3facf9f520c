// Of matmul.comp: element k of a row of x. CONV: rows are windows of a map.
#ifdef CONV
float window (uint row, uint k)
{
  uint cells = p.side * p.side, channels = p.k / cells, channel = k / cells, cell = k % cells;
  uint out_cols = (p.map_cols + p.stride - 1) / p.stride;
  int map_r = int (row / out_cols * p.stride + cell / p.side) - int (p.pad_top);
  int map_c = int (row % out_cols * p.stride + cell % p.side) - int (p.pad_left);

  if (map_r < 0 || map_r >= int (p.map_rows) || map_c < 0 || map_c >= int (p.map_cols))
    return 0;
  return x[(uint (map_r) * p.map_cols + uint (map_c)) * channels + channel];
}
#else
float window (uint row, uint k)
{
  return x[row * p.k + k];
}
#endif
