// Rounds rows to signed bytes (quantize.comp). THREADS threads call quantize()
// together, each with four neighbouring elements: eight threads make a block.
shared vec2 eights_space[THREADS];

void quantize (uint row, uint word, uint words, vec4 x, uint first_block)
{
  uint thread = gl_LocalInvocationID.x, first = thread / 8 * 8;
  vec4 magnitude = abs (x);
  float most = 0, low = 0, high = 0;

  barrier ();
  eights_space[thread].x = max (max (magnitude.x, magnitude.y), max (magnitude.z, magnitude.w));
  barrier ();
  for (uint i = 0; i < 8; i++)
    most = max (most, eights_space[first + i].x);
  // A smaller block counts as zero: 127 / most would overflow.
  bool tiny = most < 1e-30;
  ivec4 q = ivec4 (clamp (roundEven (x * (tiny ? 0.0 : 127.0 / most)), -127.0, 127.0));

  eights_space[thread].y = float (q.x + q.y + q.z + q.w);
  barrier ();
  if (word >= words)
    return;
  bytes[row * words + word] = uint (q.x & 255) | uint (q.y & 255) << 8 | uint (q.z & 255) << 16 | uint (q.w & 255) << 24;
  if (thread != first)
    return;
  for (uint i = 0; i < 4; i++) {
    low += eights_space[first + i].y;
    high += eights_space[first + 4 + i].y;
  }
  blocks[first_block + (row * words + word) / 8] = uvec2 (floatBitsToUint (tiny ? 0.0 : most / 127.0),
                                                          uint (int (low)) & 0xffffu | uint (int (high)) << 16);
}
