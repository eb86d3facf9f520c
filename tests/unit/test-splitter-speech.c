/* Long recordings of people speaking, by espeak-ng in several languages and
 * voices: cut only in pauses where there are any within the limit. */
#include "speech.h"

#include <string.h>

/* Languages with different rhythm and sounds, each spoken by two voices. */
static const struct {
  const char *voice;
  const char *sentences[3];
} speakers[] = {
  { "en", { "The quarterly figures are better than we had expected.", "Call me back when you have read the second chapter.", "Stop." } },
  { "it", { "La riunione di domani comincia alle nove e mezza.", "Ricordati di prendere il pane e il latte.", "Va bene." } },
  { "de", { "Bitte denken Sie an die Unterlagen für den Vertrag.", "Der Zug nach Hamburg fährt heute zwölf Minuten später.", "Genau." } },
  { "fr", { "Le train pour Lyon part dans une vingtaine de minutes.", "Il faudrait rappeler le plombier avant jeudi.", "D'accord." } },
  { "es", { "El informe llega por correo antes del viernes.", "No olvides cerrar la ventana cuando salgas.", "Claro." } },
  { "ru", { "Завтра утром мы встречаемся у входа в музей.", "Пожалуйста, пришлите мне новый договор до пятницы.", "Хорошо." } },
  { "hi", { "कल सुबह की बैठक दस बजे शुरू होगी।", "कृपया मुझे नई रिपोर्ट भेज दीजिए।", "ठीक है।" } },
};
static const char *const variants[] = { "+m3", "+f2" };

/* Lengths of the pauses of a recording, taken in turn. */
typedef struct {
  const char *name;
  double      seconds[4];
  float       noise;
  gboolean    short_ones; /* shorter than what separates phrases: pieces may overlap, but words stay whole */
} Pauses;

static const Pauses all_pauses[] = {
  { "usual", { 0.7, 0.45, 1.3, 0.6 }, 0, FALSE },
  { "noisy", { 0.8, 0.5, 1.0, 0.6 }, 0.01f, FALSE },
  { "long", { 2.0, 6.5, 0.9, 3.5 }, 0, FALSE },
  { "short", { 0.22, 0.18, 0.25, 0.2 }, 0, TRUE },
  { "short-noisy", { 0.25, 0.22, 0.25, 0.24 }, 0.005f, TRUE },
};

static void
talk (Recording *recording, const char *voice, const char *const *sentences, const Pauses *pauses)
{
  g_autoptr (GPtrArray) said = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  guint n = 0;

  for (int i = 0; i < 3; i++)
    g_ptr_array_add (said, speech_make (voice, sentences[i]));
  recording_pause (recording, 0.5);
  while (recording_seconds (recording) < 80) {
    recording_say (recording, g_ptr_array_index (said, n % 3));
    recording_pause (recording, pauses->seconds[n++ % 4]);
  }
  if (pauses->noise > 0)
    recording_noise (recording, pauses->noise);
}

/* How many pieces hold all of it. */
static int
holders (GArray *pieces, const FacetPiece *spoken)
{
  int n = 0;

  for (guint i = 0; i < pieces->len; i++) {
    const FacetPiece *p = &g_array_index (pieces, FacetPiece, i);

    n += p->start <= spoken->start + 0.03 && p->end >= spoken->end - 0.03;
  }
  return n;
}

/* Whether the piece's end lies within what was said. */
static gboolean
cuts (const FacetPiece *piece, GArray *spoken)
{
  for (guint i = 0; i < spoken->len; i++) {
    const FacetPiece *s = &g_array_index (spoken, FacetPiece, i);

    if (piece->end > s->start + 0.03 && piece->end < s->end - 0.03)
      return TRUE;
  }
  return FALSE;
}

static void
test_speakers (gconstpointer data)
{
  const Pauses *pauses = data;

  if (!speech_is_there ())
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (speakers) * G_N_ELEMENTS (variants); i++) {
    g_autofree char *voice = g_strconcat (speakers[i / 2].voice, variants[i % 2], NULL);
    g_auto (Recording) recording;
    g_autoptr (GArray) pieces = NULL;

    recording_init (&recording);
    talk (&recording, voice, speakers[i / 2].sentences, pauses);
    pieces = recording_split (&recording);
    g_test_message ("%s: %.1f s in %u pieces", voice, recording_seconds (&recording), pieces->len);
    g_assert_cmpuint (pieces->len, >=, 3);
    for (guint u = 0; u < recording.spoken->len; u++) {
      const FacetPiece *spoken = &g_array_index (recording.spoken, FacetPiece, u);
      int n = holders (pieces, spoken);

      if (n < 1 || (n > 1 && !pauses->short_ones))
        g_error ("%s: %.2f to %.2f s is whole in %d pieces", voice, spoken->start, spoken->end, n);
    }
    for (guint p = 0; p < pieces->len; p++) {
      const FacetPiece *piece = &g_array_index (pieces, FacetPiece, p);

      g_assert_true (pauses->short_ones || !piece->overlaps);
      if (cuts (piece, recording.spoken))
        g_error ("%s: the piece that ends at %.2f s ends in a word", voice, piece->end);
    }
  }
}

/* Without pauses: pieces overlap, and nothing but quiet is left out. */
static void
test_endless_speech (void)
{
  static const Pauses none = { "none", { 0.05, 0.05, 0.05, 0.05 }, 0, TRUE };

  if (!speech_is_there ())
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (speakers); i++) {
    g_auto (Recording) recording;
    g_autoptr (GArray) pieces = NULL;
    guint overlaps = 0;

    recording_init (&recording);
    talk (&recording, speakers[i].voice, speakers[i].sentences, &none);
    pieces = recording_split (&recording);
    for (guint p = 1; p < pieces->len; p++) {
      const FacetPiece *piece = &g_array_index (pieces, FacetPiece, p), *before = piece - 1;

      g_assert_cmpfloat (piece->start - before->end, <, 0.5);
      if (piece->overlaps)
        g_assert_cmpfloat (before->end - piece->start, >, 1.0);
      overlaps += piece->overlaps;
    }
    g_assert_cmpuint (pieces->len, >=, 3);
    g_assert_cmpuint (overlaps, >=, 1);
  }
}

static void
test_long_silence_left_out (void)
{
  g_auto (Recording) recording;
  g_autoptr (GArray) pieces = NULL, one = NULL, two = NULL;

  recording_init (&recording);
  if (!speech_is_there ())
    return;
  one = speech_make ("en", "One sentence before the long break.");
  two = speech_make ("en", "And another one after it.");
  recording_pause (&recording, 20);
  recording_say (&recording, one);
  recording_pause (&recording, 40);
  recording_say (&recording, two);
  recording_pause (&recording, 10);
  pieces = recording_split (&recording);
  g_assert_cmpuint (pieces->len, ==, 2);
  for (guint u = 0; u < 2; u++)
    g_assert_cmpint (holders (pieces, &g_array_index (recording.spoken, FacetPiece, u)), ==, 1);
  g_assert_cmpfloat (g_array_index (pieces, FacetPiece, 0).start, >, 19.5);
}

/* A word of a tenth of a second is a note of its own. */
static void
test_shortest_note (void)
{
  g_auto (Recording) recording;
  g_autoptr (GArray) pieces = NULL, word = NULL;

  recording_init (&recording);
  if (!speech_is_there ())
    return;
  word = speech_make ("en", "Oh!");
  g_array_set_size (word, SPEECH_RATE / 10);
  recording_say (&recording, word);
  pieces = recording_split (&recording);
  g_assert_cmpuint (pieces->len, ==, 1);
  g_assert_cmpfloat (g_array_index (pieces, FacetPiece, 0).end, >, 0.09);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (all_pauses); i++) {
    g_autofree char *path = g_strconcat ("/splitter-speech/", all_pauses[i].name, NULL);

    g_test_add_data_func (path, &all_pauses[i], test_speakers);
  }
  g_test_add_func ("/splitter-speech/endless", test_endless_speech);
  g_test_add_func ("/splitter-speech/long-silence-left-out", test_long_silence_left_out);
  g_test_add_func ("/splitter-speech/shortest-note", test_shortest_note);
  return g_test_run ();
}
