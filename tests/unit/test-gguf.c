/* The GGUF reader on hostile files: a valid file opens, and each way of
 * breaking it gives the right kind of error that names the field at fault,
 * with no read past the end and no large allocation. */
#include "facet.h"

#include "gguf/gguf.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define UNDER_ASAN 1
#endif

#define MIB ((gsize) 1 << 20)
#define LIMIT_MIB 64

/* Places in the valid file, in its order. */
typedef enum {
  MAGIC, VERSION, N_TENSORS, N_KEYS,
  ARCH_KEY_LENGTH, ARCH_KEY, ARCH_TYPE, ARCH_LENGTH, ARCH_TEXT,
  ALIGN_KEY_LENGTH, ALIGN_KEY, ALIGN_TYPE, ALIGN_VALUE,
  FLAG_KEY_LENGTH, FLAG_KEY, FLAG_TYPE, FLAG_VALUE,
  INTS_KEY_LENGTH, INTS_KEY, INTS_TYPE, INTS_ELEMENT, INTS_COUNT, INTS_VALUES,
  WORDS_KEY_LENGTH, WORDS_KEY, WORDS_TYPE, WORDS_ELEMENT, WORDS_COUNT, WORDS_LENGTH, WORDS_TEXT, WORDS_SECOND,
  SPLIT_KEY_LENGTH, SPLIT_KEY, SPLIT_TYPE, SPLIT_VALUE,
  FIRST_NAME_LENGTH, FIRST_NAME, FIRST_N_DIMS, FIRST_NE, FIRST_DTYPE, FIRST_OFFSET,
  OTHER_NAME_LENGTH, OTHER_NAME, OTHER_N_DIMS, OTHER_NE, OTHER_DTYPE, OTHER_OFFSET,
  THIRD_NAME_LENGTH, THIRD_NAME, THIRD_N_DIMS, THIRD_NE, THIRD_DTYPE, THIRD_OFFSET,
  PADDING, DATA, THIRD_DATA, END,
  N_PLACES,
} Place;

typedef enum { WHOLE, TEXT, U8, U32, U64, CUT } Change;

#define OPENS (-1)
#define NOT_A_MODEL FACET_ERROR_NOT_A_MODEL
#define CORRUPT FACET_ERROR_CORRUPT
#define UNSUPPORTED FACET_ERROR_UNSUPPORTED
#define IO FACET_ERROR_IO

static const struct {
  Change      change;
  Place       place;
  gsize       skip;  /* bytes from the place on */
  guint64     value; /* U8, U32, U64 */
  const char *text;  /* WHOLE, TEXT */
  int         code;  /* FacetErrorCode, or OPENS */
  const char *message;
} rows[] = {
  /* Not GGUF at all. */
  { WHOLE, MAGIC, 0, 0, "", NOT_A_MODEL, "empty" },
  { WHOLE, MAGIC, 0, 0, "G", NOT_A_MODEL, "only 1 bytes" },
  { WHOLE, MAGIC, 0, 0, "GGU", NOT_A_MODEL, "only 3 bytes" },
  { WHOLE, MAGIC, 0, 0, "GGUF", IO, "version" },
  { WHOLE, MAGIC, 0, 0, "<!DOCTYPE html><title>404</title>", NOT_A_MODEL, "HTML" },
  { WHOLE, MAGIC, 0, 0, "<html><body>Sign in</body></html>", NOT_A_MODEL, "HTML" },
  { WHOLE, MAGIC, 0, 0, "version https://git-lfs.github.com/spec/v1\noid sha256:00\n", NOT_A_MODEL, "Git LFS" },
  { WHOLE, MAGIC, 0, 0, "PK\3\4pytorch", NOT_A_MODEL, "ZIP" },
  { TEXT, MAGIC, 0, 0, "XXXX", NOT_A_MODEL, "magic 58 58 58 58" },
  { TEXT, MAGIC, 0, 0, "gguf", NOT_A_MODEL, "magic 67 67 75 66" },
  { TEXT, MAGIC, 0, 0, "tjgg", NOT_A_MODEL, "before GGUF" },
  { TEXT, MAGIC, 0, 0, "lmgg", NOT_A_MODEL, "before GGUF" },

  /* Header. */
  { U32, VERSION, 0, 2, NULL, OPENS, "version 2" },
  { U32, VERSION, 0, 0, NULL, UNSUPPORTED, "version: 0" },
  { U32, VERSION, 0, 1, NULL, UNSUPPORTED, "version: 1" },
  { U32, VERSION, 0, 4, NULL, UNSUPPORTED, "version: 4" },
  { U32, VERSION, 0, 0xffffffff, NULL, UNSUPPORTED, "version: 4294967295" },
  { U32, VERSION, 0, 0x03000000, NULL, UNSUPPORTED, "big-endian" },
  { U64, N_TENSORS, 0, G_MAXUINT64, NULL, CORRUPT, "number of tensors: 18446744073709551615" },
  { U64, N_TENSORS, 0, (guint64) 1 << 63, NULL, CORRUPT, "number of tensors: 9223372036854775808" },
  { U64, N_TENSORS, 0, 1000, NULL, CORRUPT, "number of tensors: 1000" },
  { U64, N_TENSORS, 0, 4, NULL, CORRUPT, "tensor name 3" },
  { U64, N_KEYS, 0, G_MAXUINT64, NULL, CORRUPT, "number of keys: 18446744073709551615" },
  { U64, N_KEYS, 0, (guint64) 1 << 32, NULL, CORRUPT, "number of keys: 4294967296" },
  { U64, N_KEYS, 0, 7, NULL, CORRUPT, "tensor name 0" },
  { U64, N_KEYS, 0, 0, NULL, CORRUPT, "tensor general.architecture" },

  /* Keys and values. */
  { U64, ARCH_KEY_LENGTH, 0, 0, NULL, CORRUPT, "metadata key 0: length 0" },
  { U64, ARCH_KEY_LENGTH, 0, 60000, NULL, CORRUPT, "metadata key 0" },
  { U64, ARCH_KEY_LENGTH, 0, 65536, NULL, CORRUPT, "metadata key 0: length 65536" },
  { U64, ARCH_KEY_LENGTH, 0, G_MAXUINT64, NULL, CORRUPT, "metadata key 0: length 18446744073709551615" },
  { U8, ARCH_KEY, 0, 0xff, NULL, CORRUPT, "metadata key 0: not valid UTF-8" },
  { U8, ARCH_KEY, 3, 0, NULL, CORRUPT, "metadata key 0" },
  { U8, ARCH_KEY, 3, 0x1b, NULL, CORRUPT, "metadata key 0: control character 0x1b" },
  { TEXT, INTS_KEY, 0, 0, "a.flag", CORRUPT, "a.flag: the key is there twice" },
  { U32, ARCH_TYPE, 0, 13, NULL, CORRUPT, "general.architecture: unknown value type 13" },
  { U32, ARCH_TYPE, 0, 0xffffffff, NULL, CORRUPT, "general.architecture: unknown value type 4294967295" },
  { U64, ARCH_LENGTH, 0, G_MAXUINT64, NULL, CORRUPT, "general.architecture: 18446744073709551615 bytes" },
  { U64, ARCH_LENGTH, 0, G_MAXUINT64 - 60, NULL, CORRUPT, "general.architecture" },
  { U64, ARCH_LENGTH, 0, 1 << 20, NULL, CORRUPT, "general.architecture: 1048576 bytes" },
  { U8, FLAG_VALUE, 0, 2, NULL, CORRUPT, "a.flag: truth value 2" },
  { U32, INTS_ELEMENT, 0, 9, NULL, UNSUPPORTED, "a.ints: an array of arrays" },
  { U32, INTS_ELEMENT, 0, 13, NULL, CORRUPT, "a.ints: unknown element type 13" },
  { U32, INTS_ELEMENT, 0, 0x80000000, NULL, CORRUPT, "a.ints: unknown element type" },
  { U64, INTS_COUNT, 0, G_MAXUINT64, NULL, CORRUPT, "a.ints: array of 18446744073709551615" },
  { U64, INTS_COUNT, 0, (guint64) 1 << 62, NULL, CORRUPT, "a.ints: array of 4611686018427387904" },
  { U64, INTS_COUNT, 0, ((guint64) 1 << 62) + 3, NULL, CORRUPT, "a.ints: array of" },
  { U64, INTS_COUNT, 0, 100000, NULL, CORRUPT, "a.ints: array of 100000" },
  { U64, WORDS_COUNT, 0, (guint64) 1 << 61, NULL, CORRUPT, "a.words: array of 2305843009213693952" },
  { U64, WORDS_COUNT, 0, 5, NULL, CORRUPT, "a.words" },
  { U64, WORDS_LENGTH, 0, G_MAXUINT64, NULL, CORRUPT, "a.words: 18446744073709551615 bytes" },
  { U64, WORDS_LENGTH, 0, G_MAXUINT64 - 7, NULL, CORRUPT, "a.words" },
  { U64, WORDS_SECOND, 0, 5000, NULL, CORRUPT, "a.words: 5000 bytes" },
  { U32, SPLIT_VALUE, 0, 2, NULL, CORRUPT, "split.count: one of 2 parts, split.no does not say which" },

  /* Alignment. */
  { U32, ALIGN_VALUE, 0, 8, NULL, OPENS, "alignment 8" },
  { U32, ALIGN_VALUE, 0, 0, NULL, CORRUPT, "general.alignment: 0" },
  { U32, ALIGN_VALUE, 0, 1, NULL, CORRUPT, "general.alignment: 1" },
  { U32, ALIGN_VALUE, 0, 3, NULL, CORRUPT, "general.alignment: 3" },
  { U32, ALIGN_VALUE, 0, 48, NULL, CORRUPT, "general.alignment: 48" },
  { U32, ALIGN_VALUE, 0, 0xffffffff, NULL, CORRUPT, "general.alignment: 4294967295" },
  { U32, ALIGN_VALUE, 0, 0x80000000, NULL, CORRUPT, "other: offset 32 is no multiple of the alignment 2147483648" },
  { U32, ALIGN_TYPE, 0, 6, NULL, CORRUPT, "general.alignment: not a number" },

  /* Tensors. */
  { U64, FIRST_NAME_LENGTH, 0, 0, NULL, CORRUPT, "tensor name 0: length 0" },
  { U64, FIRST_NAME_LENGTH, 0, 65, NULL, CORRUPT, "tensor name 0: length 65" },
  { U64, FIRST_NAME_LENGTH, 0, G_MAXUINT64, NULL, CORRUPT, "tensor name 0: length 18446744073709551615" },
  { U8, FIRST_NAME, 0, 0x80, NULL, CORRUPT, "tensor name 0: not valid UTF-8" },
  { U8, FIRST_NAME, 1, '\n', NULL, CORRUPT, "tensor name 0: control character 0x0a" },
  { TEXT, OTHER_NAME, 0, 0, "first", CORRUPT, "tensor first: the name is there twice" },
  { U32, FIRST_N_DIMS, 0, 0, NULL, CORRUPT, "tensor first: 0 dimensions" },
  { U32, FIRST_N_DIMS, 0, 5, NULL, CORRUPT, "tensor first: 5 dimensions" },
  { U32, FIRST_N_DIMS, 0, 0xffffffff, NULL, CORRUPT, "tensor first: 4294967295 dimensions" },
  { U64, FIRST_NE, 0, 0, NULL, CORRUPT, "tensor first: dimension 0 is 0" },
  { U64, OTHER_NE, 8, 0, NULL, CORRUPT, "tensor other: dimension 1 is 0" },
  { U64, FIRST_NE, 0, (guint64) 1 << 63, NULL, CORRUPT, "tensor first: dimension 0 is 9223372036854775808" },
  { U64, FIRST_NE, 0, G_MAXUINT64, NULL, CORRUPT, "tensor first: dimension 0 is 18446744073709551615" },
  { U64, FIRST_NE, 0, (guint64) 1 << 62, NULL, CORRUPT, "tensor first: 4611686018427387904 elements overflow" },
  { U64, THIRD_NE, 24, (guint64) 1 << 62, NULL, CORRUPT, "tensor third: dimension 3, 4611686018427387904, makes" },
  { U64, THIRD_NE, 8, (guint64) 1 << 61, NULL, CORRUPT, "tensor third: dimension 1" },
  { U64, OTHER_NE, 0, 31, NULL, CORRUPT, "tensor other: rows of 31 elements are no multiple of the 32" },
  { U64, OTHER_NE, 0, 33, NULL, CORRUPT, "tensor other: rows of 33" },
  { U32, OTHER_DTYPE, 0, FACET_Q4_K, NULL, CORRUPT, "tensor other: rows of 32 elements are no multiple of the 256" },
  { U32, FIRST_DTYPE, 0, 16, NULL, UNSUPPORTED, "tensor first: type IQ2_XXS (16)" },
  { U32, FIRST_DTYPE, 0, 39, NULL, UNSUPPORTED, "tensor first: type MXFP4 (39)" },
  { U32, FIRST_DTYPE, 0, 4, NULL, UNSUPPORTED, "tensor first: type Q4_2 (4)" },
  { U32, FIRST_DTYPE, 0, 0xffffffff, NULL, UNSUPPORTED, "tensor first: type unknown type (4294967295)" },
  { U64, OTHER_OFFSET, 0, 33, NULL, CORRUPT, "tensor other: offset 33 is no multiple of the alignment 32" },
  { U64, OTHER_OFFSET, 0, 0, NULL, CORRUPT, "overlap" },
  { U64, THIRD_OFFSET, 0, 64, NULL, CORRUPT, "tensor third: its data overlap those of other" },
  { U64, THIRD_OFFSET, 0, 128, NULL, IO, "tensor third: 32 bytes at offset 128" },
  { U64, THIRD_OFFSET, 0, 1 << 20, NULL, IO, "tensor third: offset 1048576" },
  { U64, THIRD_OFFSET, 0, G_MAXUINT64 - 31, NULL, IO, "tensor third: offset 18446744073709551584" },
  { U64, FIRST_NE, 0, 1 << 20, NULL, IO, "tensor first: 4194304 bytes at offset 0" },

  /* Cut short at each boundary; counts that no longer fit are noticed first. */
  { CUT, VERSION, 0, 0, NULL, IO, "version" },
  { CUT, N_TENSORS, 0, 0, NULL, IO, "number of tensors" },
  { CUT, N_KEYS, 0, 0, NULL, IO, "number of keys" },
  { CUT, ARCH_KEY_LENGTH, 0, 0, NULL, CORRUPT, "number of keys: 6" },
  { CUT, ARCH_KEY, 0, 0, NULL, CORRUPT, "number of keys: 6" },
  { CUT, ARCH_TYPE, 0, 0, NULL, CORRUPT, "number of keys: 6" },
  { CUT, ARCH_LENGTH, 0, 0, NULL, CORRUPT, "number of keys: 6" },
  { CUT, ARCH_TEXT, 0, 0, NULL, CORRUPT, "number of keys: 6" },
  { CUT, ALIGN_KEY_LENGTH, 0, 0, NULL, CORRUPT, "number of keys: 6" },
  { CUT, ALIGN_KEY, 0, 0, NULL, CORRUPT, "number of keys: 6" },
  { CUT, ALIGN_TYPE, 0, 0, NULL, CORRUPT, "number of keys: 6" },
  { CUT, ALIGN_VALUE, 0, 0, NULL, CORRUPT, "number of keys: 6" },
  { CUT, FLAG_KEY_LENGTH, 0, 0, NULL, CORRUPT, "number of keys: 6" },
  { CUT, FLAG_KEY, 0, 0, NULL, CORRUPT, "number of tensors: 3" },
  { CUT, FLAG_TYPE, 0, 0, NULL, CORRUPT, "number of tensors: 3" },
  { CUT, FLAG_VALUE, 0, 0, NULL, CORRUPT, "number of tensors: 3" },
  { CUT, INTS_KEY_LENGTH, 0, 0, NULL, CORRUPT, "number of tensors: 3" },
  { CUT, INTS_KEY, 0, 0, NULL, IO, "metadata key 3" },
  { CUT, INTS_TYPE, 0, 0, NULL, IO, "a.ints" },
  { CUT, INTS_ELEMENT, 0, 0, NULL, IO, "a.ints" },
  { CUT, INTS_COUNT, 0, 0, NULL, IO, "a.ints" },
  { CUT, INTS_VALUES, 0, 0, NULL, IO, "a.ints" },
  { CUT, WORDS_KEY_LENGTH, 0, 0, NULL, IO, "metadata key 4" },
  { CUT, WORDS_KEY, 0, 0, NULL, IO, "metadata key 4" },
  { CUT, WORDS_TYPE, 0, 0, NULL, IO, "a.words" },
  { CUT, WORDS_ELEMENT, 0, 0, NULL, IO, "a.words" },
  { CUT, WORDS_COUNT, 0, 0, NULL, IO, "a.words" },
  { CUT, WORDS_LENGTH, 0, 0, NULL, IO, "a.words" },
  { CUT, WORDS_TEXT, 0, 0, NULL, IO, "a.words" },
  { CUT, WORDS_SECOND, 0, 0, NULL, IO, "a.words" },
  { CUT, SPLIT_KEY_LENGTH, 0, 0, NULL, IO, "metadata key 5" },
  { CUT, SPLIT_KEY, 0, 0, NULL, IO, "metadata key 5" },
  { CUT, SPLIT_TYPE, 0, 0, NULL, IO, "split.count" },
  { CUT, SPLIT_VALUE, 0, 0, NULL, IO, "split.count" },
  { CUT, FIRST_NAME_LENGTH, 0, 0, NULL, IO, "tensor name 0" },
  { CUT, FIRST_NAME, 0, 0, NULL, IO, "tensor name 0" },
  { CUT, FIRST_N_DIMS, 0, 0, NULL, IO, "first" },
  { CUT, FIRST_NE, 0, 0, NULL, IO, "first" },
  { CUT, FIRST_DTYPE, 0, 0, NULL, IO, "first" },
  { CUT, FIRST_OFFSET, 0, 0, NULL, IO, "first" },
  { CUT, OTHER_NAME_LENGTH, 0, 0, NULL, IO, "tensor name 1" },
  { CUT, OTHER_NAME, 0, 0, NULL, IO, "tensor name 1" },
  { CUT, OTHER_N_DIMS, 0, 0, NULL, IO, "other" },
  { CUT, OTHER_NE, 0, 0, NULL, IO, "other" },
  { CUT, OTHER_DTYPE, 0, 0, NULL, IO, "other" },
  { CUT, OTHER_OFFSET, 0, 0, NULL, IO, "other" },
  { CUT, THIRD_NAME_LENGTH, 0, 0, NULL, IO, "tensor name 2" },
  { CUT, THIRD_NAME, 0, 0, NULL, IO, "tensor name 2" },
  { CUT, THIRD_N_DIMS, 0, 0, NULL, IO, "third" },
  { CUT, THIRD_NE, 0, 0, NULL, IO, "third" },
  { CUT, THIRD_DTYPE, 0, 0, NULL, IO, "third" },
  { CUT, THIRD_OFFSET, 0, 0, NULL, IO, "third" },
  { CUT, PADDING, 0, 0, NULL, IO, "tensor data: the file ends" },
  { CUT, DATA, 0, 0, NULL, IO, "tensor first" },
  { CUT, THIRD_DATA, 0, 0, NULL, IO, "tensor third" },
};

static void
put (GByteArray *file, guint64 value, guint n)
{
  g_byte_array_append (file, (const guint8 *) &value, n);
}

static void
put_text (GByteArray *file, const char *text, gsize *places)
{
  places[0] = file->len;
  put (file, strlen (text), 8);
  places[1] = file->len;
  g_byte_array_append (file, (const guint8 *) text, strlen (text));
}

static void
put_key (GByteArray *file, gsize *places, const char *key, guint32 type)
{
  put_text (file, key, places);
  places[2] = file->len;
  put (file, type, 4);
  places[3] = file->len;
}

static void
put_keys (GByteArray *file, gsize *places)
{
  gsize second[2];

  put_key (file, places + ARCH_KEY_LENGTH, "general.architecture", 8);
  put_text (file, "gemma3", places + ARCH_LENGTH);
  put_key (file, places + ALIGN_KEY_LENGTH, "general.alignment", 4);
  put (file, 32, 4);
  put_key (file, places + FLAG_KEY_LENGTH, "a.flag", 7);
  put (file, 1, 1);
  put_key (file, places + INTS_KEY_LENGTH, "a.ints", 9);
  put (file, 5, 4);
  places[INTS_COUNT] = file->len;
  put (file, 3, 8);
  places[INTS_VALUES] = file->len;
  for (guint i = 0; i < 3; i++)
    put (file, i, 4);
  put_key (file, places + WORDS_KEY_LENGTH, "a.words", 9);
  put (file, 8, 4);
  places[WORDS_COUNT] = file->len;
  put (file, 2, 8);
  put_text (file, "one", places + WORDS_LENGTH);
  put_text (file, "two", second);
  places[WORDS_SECOND] = second[0];
  put_key (file, places + SPLIT_KEY_LENGTH, "split.count", 4);
  put (file, 1, 4);
}

static void
put_tensor (GByteArray *file, gsize *places, const char *name, FacetDtype dtype, guint n_dims, const guint64 *ne,
            guint64 offset)
{
  put_text (file, name, places);
  places[2] = file->len;
  put (file, n_dims, 4);
  places[3] = file->len;
  for (guint i = 0; i < n_dims; i++)
    put (file, ne[i], 8);
  places[4] = file->len;
  put (file, dtype, 4);
  places[5] = file->len;
  put (file, offset, 8);
}

/* Three tensors of 32, 36 (with 28 of padding) and 32 bytes. */
static GByteArray *
valid_file (gsize *places)
{
  GByteArray *file = g_byte_array_new ();

  places[MAGIC] = 0;
  g_byte_array_append (file, (const guint8 *) "GGUF", 4);
  places[VERSION] = file->len;
  put (file, 3, 4);
  places[N_TENSORS] = file->len;
  put (file, 3, 8);
  places[N_KEYS] = file->len;
  put (file, 6, 8);
  put_keys (file, places);
  put_tensor (file, places + FIRST_NAME_LENGTH, "first", FACET_F32, 1, (guint64[]) { 8 }, 0);
  put_tensor (file, places + OTHER_NAME_LENGTH, "other", FACET_Q4_0, 2, (guint64[]) { 32, 2 }, 32);
  put_tensor (file, places + THIRD_NAME_LENGTH, "third", FACET_F16, 4, (guint64[]) { 4, 2, 2, 1 }, 96);
  places[PADDING] = file->len;
  while (file->len % 32 != 0)
    put (file, 0, 1);
  places[DATA] = file->len;
  places[THIRD_DATA] = file->len + 96;
  for (guint i = 0; i < 128; i++)
    put (file, i, 1);
  places[END] = file->len;
  return file;
}

/* Opens the bytes where the first one past the end cannot be read. */
static FacetGguf *
open_guarded (const guint8 *bytes, gsize size, GError **error, guint8 **map, gsize *map_bytes)
{
  gsize page = sysconf (_SC_PAGESIZE), whole = (size + page - 1) / page * page;
  guint8 *at;

  *map_bytes = whole + page;
  *map = mmap (NULL, *map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  g_assert_true (*map != MAP_FAILED);
  g_assert_cmpint (mprotect (*map + whole, page, PROT_NONE), ==, 0);
  at = *map + whole - size;
  if (size > 0)
    memcpy (at, bytes, size);
  return facet_gguf_open_bytes (at, size, "hostile", error);
}

static void
check_error (const char *what, FacetGguf *gguf, const GError *error, int code, const char *message)
{
  if (code == OPENS) {
    if (!gguf)
      g_error ("%s: should open, but: %s", what, error->message);
    return;
  }
  if (gguf || !error)
    g_error ("%s: should not open (%s)", what, message);
  if (error->domain != FACET_ERROR || error->code != code || !g_str_has_prefix (error->message, "hostile: ")
      || !strstr (error->message, message))
    g_error ("%s: code %d, should be %d; \"%s\" should say \"%s\"", what, error->code, code, error->message, message);
}

static void
check_row (gsize index)
{
  gsize places[N_PLACES] = { 0 }, map_bytes, at;
  g_autoptr (GByteArray) file = valid_file (places);
  g_autofree char *what = g_strdup_printf ("row %" G_GSIZE_FORMAT " (%s)", index, rows[index].message);
  g_autoptr (GError) error = NULL;
  FacetGguf *gguf;
  guint8 *map;

  at = places[rows[index].place] + rows[index].skip;
  if (rows[index].change == WHOLE) {
    g_byte_array_set_size (file, 0);
    g_byte_array_append (file, (const guint8 *) rows[index].text, strlen (rows[index].text));
  } else if (rows[index].change == TEXT)
    memcpy (file->data + at, rows[index].text, strlen (rows[index].text));
  else if (rows[index].change == CUT)
    g_byte_array_set_size (file, at);
  else
    memcpy (file->data + at, &rows[index].value, rows[index].change == U8 ? 1 : rows[index].change == U32 ? 4 : 8);
  gguf = open_guarded (file->data, file->len, &error, &map, &map_bytes);
  check_error (what, gguf, error, rows[index].code, rows[index].message);
  facet_gguf_close (gguf);
  munmap (map, map_bytes);
}

static void
test_valid (void)
{
  gsize places[N_PLACES] = { 0 };
  g_autoptr (GByteArray) file = valid_file (places);
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetGguf) gguf = facet_gguf_open_bytes (file->data, file->len, "valid", &error);
  const FacetTensor *third;
  gint64 number = 0;

  g_assert_no_error (error);
  g_assert_cmpstr (facet_gguf_get_string (gguf, "general.architecture"), ==, "gemma3");
  g_assert_cmpuint (facet_gguf_array_length (gguf, "a.words"), ==, 2);
  g_assert_true (facet_gguf_array_i64 (gguf, "a.ints", 2, &number));
  g_assert_cmpint (number, ==, 2);
  g_assert_false (facet_gguf_array_i64 (gguf, "a.ints", 3, &number));
  g_assert_false (facet_gguf_array_i64 (gguf, "a.words", 0, &number));
  g_assert_cmpuint (facet_gguf_n_tensors (gguf), ==, 3);
  third = facet_gguf_tensor (gguf, "third");
  g_assert_nonnull (third);
  g_assert_cmpuint (third->bytes, ==, 32);
  g_assert_true (third->data == file->data + places[THIRD_DATA]);
}

static void
test_rows (void)
{
  g_assert_cmpuint (G_N_ELEMENTS (rows), >=, 60);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    check_row (i);
}

/* However short a download stops, it is an error that says so. */
static void
test_every_length (void)
{
  gsize places[N_PLACES] = { 0 }, map_bytes;
  g_autoptr (GByteArray) file = valid_file (places);

  for (gsize size = 0; size < file->len; size++) {
    g_autoptr (GError) error = NULL;
    guint8 *map;
    FacetGguf *gguf = open_guarded (file->data, size, &error, &map, &map_bytes);

    g_assert_null (gguf);
    g_assert_nonnull (error);
    g_assert_true (error->domain == FACET_ERROR);
    if (size < 4)
      g_assert_cmpint (error->code, ==, NOT_A_MODEL);
    else
      g_assert_true (error->code == IO || error->code == CORRUPT);
    munmap (map, map_bytes);
  }
}

#ifndef UNDER_ASAN
static void
limit_memory (void)
{
  g_autofree char *statm = NULL;
  struct rlimit limit;
  gpointer block;

  g_assert_true (g_file_get_contents ("/proc/self/statm", &statm, NULL, NULL));
  limit.rlim_cur = limit.rlim_max = g_ascii_strtoull (statm, NULL, 10) * sysconf (_SC_PAGESIZE) + LIMIT_MIB * MIB;
  g_assert_cmpint (setrlimit (RLIMIT_AS, &limit), ==, 0);
  block = g_try_malloc ((LIMIT_MIB + 1) * MIB);
  g_assert_null (block);
}
#endif

static void
test_memory (void)
{
#ifdef UNDER_ASAN
  g_test_skip ("the address sanitizer needs its own address space");
#else
  if (g_test_subprocess ()) {
    limit_memory ();
    test_rows ();
    return;
  }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
#endif
}

/* ---- rows of a table in a file ---- */

#define ROW_BYTES ((gsize) 64 << 10)
#define N_ROWS 64

static gboolean
resident (const guint8 *row)
{
  unsigned char pages[ROW_BYTES / 4096];

  g_assert_cmpint (mincore ((void *) row, ROW_BYTES, pages), ==, 0);
  return (pages[0] & pages[G_N_ELEMENTS (pages) - 1] & 1) != 0;
}

/* A row asked for ahead is in memory before anyone reads it; others are not. */
static void
test_prefetch (void)
{
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *zeros = g_malloc0 (ROW_BYTES);
  int fd = g_file_open_tmp ("facet-rows-XXXXXX", &path, &error);
  FacetTensor table = { .name = "table", .dtype = FACET_F32, .ne = { ROW_BYTES / sizeof (float), N_ROWS, 1, 1 } };
  gint32 ids[] = { 40, -1, N_ROWS, G_MAXINT32, 3 };
  guint8 *map;

  g_assert_no_error (error);
  for (int i = 0; i < N_ROWS; i++)
    g_assert_cmpint (write (fd, zeros, ROW_BYTES), ==, (gssize) ROW_BYTES);
  g_assert_cmpint (fsync (fd), ==, 0);
  posix_fadvise (fd, 0, 0, POSIX_FADV_DONTNEED);
  map = mmap (NULL, N_ROWS * ROW_BYTES, PROT_READ, MAP_PRIVATE, fd, 0);
  g_assert_true (map != MAP_FAILED);
  table.data = map;
  table.bytes = N_ROWS * ROW_BYTES;
  if (sysconf (_SC_PAGESIZE) != 4096 || resident (map + 40 * ROW_BYTES))
    g_test_skip ("this file system keeps its pages");
  else {
    facet_tensor_prefetch_rows (&table, ids, G_N_ELEMENTS (ids));
    for (int tries = 0; tries < 500 && !(resident (map + 40 * ROW_BYTES) && resident (map + 3 * ROW_BYTES)); tries++)
      g_usleep (10000);
    g_assert_true (resident (map + 40 * ROW_BYTES));
    g_assert_true (resident (map + 3 * ROW_BYTES));
    g_assert_false (resident (map + 20 * ROW_BYTES));
  }
  munmap (map, N_ROWS * ROW_BYTES);
  close (fd);
  unlink (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gguf/valid", test_valid);
  g_test_add_func ("/gguf/hostile/rows", test_rows);
  g_test_add_func ("/gguf/hostile/every-length", test_every_length);
  g_test_add_func ("/gguf/hostile/memory", test_memory);
  g_test_add_func ("/gguf/prefetch", test_prefetch);
  return g_test_run ();
}
