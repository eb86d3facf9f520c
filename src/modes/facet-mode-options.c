#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "facet-mode-options.h"

#include "facet-policy-choices.h"
#include "facet-tongue.h"

typedef struct {
  GtkWidget       *button;
  GSettings       *settings;
  const FacetMode *mode;
  GtkWidget       *language;
  GtkWidget       *style;
  GtkWidget       *audience;
  GtkWidget       *policies;
  GtkEditable     *entry;
  GtkListBox      *list;
} Options;

static void
options_free (gpointer data)
{
  Options *self = data;

  g_object_unref (self->settings);
  g_free (self);
}

/* ---- the language ------------------------------------------------------- */

static gboolean
contains (const char *text, const char *part)
{
  g_autofree char *folded = g_utf8_casefold (text, -1);
  g_autofree char *wanted = g_utf8_casefold (part, -1);

  return strstr (folded, wanted) != NULL;
}

/* While nothing of the list is meant, all that could be are shown. */
static gboolean
filter_cb (GtkListBoxRow *row, gpointer data)
{
  Options *self = data;
  const FacetTongue *tongue = &facet_tongues[gtk_list_box_row_get_index (row)];
  const char *typed = gtk_editable_get_text (self->entry);

  return *typed == '\0' || facet_tongue_find (typed) != NULL || contains (tongue->own, typed) ||
         contains (tongue->name, typed);
}

static void
typed_cb (Options *self)
{
  gtk_list_box_invalidate_filter (self->list);
}

static void
chosen_cb (GtkListBox *list, GtkListBoxRow *row, Options *self)
{
  gtk_editable_set_text (self->entry, facet_tongues[gtk_list_box_row_get_index (row)].own);
  gtk_menu_button_popdown (GTK_MENU_BUTTON (self->button));
}

static GtkWidget *
heading (const char *text)
{
  GtkWidget *label = gtk_label_new (text);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_add_css_class (label, "heading");
  return label;
}

static GtkWidget *
section (const char *title)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);

  gtk_box_append (GTK_BOX (box), heading (title));
  return box;
}

static void
build_language (Options *self)
{
  GtkWidget *scroller = gtk_scrolled_window_new ();

  self->language = section (_("Language of the Answer"));
  self->entry = GTK_EDITABLE (gtk_entry_new ());
  self->list = GTK_LIST_BOX (gtk_list_box_new ());
  gtk_entry_set_placeholder_text (GTK_ENTRY (self->entry), facet_tongue_of_locale ()->own);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->entry), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _("Any language, by its name"), -1);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->list), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Languages"), -1);
  gtk_list_box_set_selection_mode (self->list, GTK_SELECTION_NONE);
  gtk_widget_add_css_class (GTK_WIDGET (self->list), "navigation-sidebar");
  for (const FacetTongue *tongue = facet_tongues; tongue->code != NULL; tongue++) {
    GtkWidget *label = gtk_label_new (tongue->own);
    GtkWidget *row = gtk_list_box_row_new ();

    gtk_label_set_xalign (GTK_LABEL (label), 0);
    gtk_widget_set_tooltip_text (label, tongue->name);
    gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), label);
    gtk_accessible_update_relation (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_RELATION_LABELLED_BY, label, NULL, -1);
    gtk_list_box_append (self->list, row);
  }
  gtk_list_box_set_filter_func (self->list, filter_cb, self, NULL);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroller), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), GTK_WIDGET (self->list));
  gtk_widget_set_size_request (scroller, 240, 170);
  gtk_box_append (GTK_BOX (self->language), GTK_WIDGET (self->entry));
  gtk_box_append (GTK_BOX (self->language), scroller);
  g_settings_bind (self->settings, "target-language", self->entry, "text", G_SETTINGS_BIND_DEFAULT);
  g_signal_connect_swapped (self->entry, "changed", G_CALLBACK (typed_cb), self);
  g_signal_connect (self->list, "row-activated", G_CALLBACK (chosen_cb), self);
}

/* ---- style and audience ------------------------------------------------- */

static const struct {
  const char *nick;
  const char *title;
} styles[] = {
  { "casual", NC_("answer style", "Casual") },
  { "formal", NC_("answer style", "Formal") },
  { "educational", NC_("answer style", "Educational") },
};

static void
build_style (Options *self)
{
  self->style = section (_("Style"));
  for (gsize i = 0; i < G_N_ELEMENTS (styles); i++) {
    GtkWidget *check = gtk_check_button_new_with_label (g_dpgettext2 (GETTEXT_PACKAGE, "answer style", styles[i].title));

    gtk_actionable_set_action_name (GTK_ACTIONABLE (check), "options.answer-style");
    gtk_actionable_set_action_target (GTK_ACTIONABLE (check), "s", styles[i].nick);
    gtk_box_append (GTK_BOX (self->style), check);
  }
}

static void
build_audience (Options *self)
{
  GtkWidget *entry = gtk_entry_new ();

  self->audience = section (_("Audience"));
  gtk_entry_set_placeholder_text (GTK_ENTRY (entry), _("For example: students in Japan"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (entry), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Audience"), -1);
  gtk_box_append (GTK_BOX (self->audience), entry);
  g_settings_bind (self->settings, "audience", entry, "text", G_SETTINGS_BIND_DEFAULT);
}

static void
build_policies (Options *self)
{
  self->policies = section (_("Policies"));
  gtk_box_append (GTK_BOX (self->policies), facet_policy_choices_new (self->settings));
}

/* ---- the button --------------------------------------------------------- */

static const char *
style_title (const char *nick)
{
  for (gsize i = 0; i < G_N_ELEMENTS (styles); i++)
    if (g_str_equal (styles[i].nick, nick))
      return g_dpgettext2 (GETTEXT_PACKAGE, "answer style", styles[i].title);
  return nick;
}

static GtkWidget *
find_label (GtkWidget *widget)
{
  GtkWidget *found = GTK_IS_LABEL (widget) ? widget : NULL;

  for (GtkWidget *child = gtk_widget_get_first_child (widget); found == NULL && child != NULL; child = gtk_widget_get_next_sibling (child))
    if (!GTK_IS_POPOVER (child))
      found = find_label (child);
  return found;
}

void
facet_mode_button_set_label (GtkMenuButton *button, const char *what, const char *label)
{
  /* Translators: the name of a control, then what is chosen there */
  g_autofree char *name = g_strdup_printf (C_("control and its value", "%s: %s"), what, label);

  gtk_menu_button_set_label (button, label);
  gtk_label_set_ellipsize (GTK_LABEL (find_label (GTK_WIDGET (button))), PANGO_ELLIPSIZE_END);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

static void
update (Options *self)
{
  gboolean language = facet_mode_takes (self->mode, self->settings, "{language}");
  gboolean style = facet_mode_takes (self->mode, self->settings, "{style}");
  gboolean audience = facet_mode_takes (self->mode, self->settings, "{audience}");
  g_autofree char *named = g_strstrip (g_settings_get_string (self->settings, "target-language"));
  g_autofree char *nick = g_settings_get_string (self->settings, "answer-style");
  const FacetTongue *tongue = *named != '\0' ? facet_tongue_find (named) : facet_tongue_of_locale ();
  const char *of_answer = language ? (tongue != NULL ? tongue->own : named) : style_title (nick);
  g_autofree char *label = self->mode->judges ? facet_policy_choices_label (self->settings) : g_strdup (of_answer);
  const char *what = self->mode->judges ? _("Policies") : _("Language and Style of the Answer");

  gtk_widget_set_visible (self->language, language);
  gtk_widget_set_visible (self->style, style);
  gtk_widget_set_visible (self->audience, audience);
  gtk_widget_set_visible (self->policies, self->mode->judges);
  gtk_widget_set_visible (self->button, language || style || audience || self->mode->judges);
  gtk_widget_set_tooltip_text (self->button, what);
  facet_mode_button_set_label (GTK_MENU_BUTTON (self->button), what, label);
}

void
facet_mode_options_set_mode (GtkWidget *options, const FacetMode *mode)
{
  Options *self = g_object_get_data (G_OBJECT (options), "options");

  self->mode = mode;
  update (self);
}

static void
settings_changed_cb (GtkWidget *options)
{
  update (g_object_get_data (G_OBJECT (options), "options"));
}

GtkWidget *
facet_mode_options_new (GSettings *settings)
{
  Options *self = g_new0 (Options, 1);
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 12);
  GtkWidget *popover = gtk_popover_new ();
  g_autoptr (GSimpleActionGroup) actions = g_simple_action_group_new ();
  g_autoptr (GAction) style = g_settings_create_action (settings, "answer-style");

  self->settings = g_object_ref (settings);
  self->mode = &facet_modes[0];
  self->button = gtk_menu_button_new ();
  g_action_map_add_action (G_ACTION_MAP (actions), style);
  gtk_widget_insert_action_group (self->button, "options", G_ACTION_GROUP (actions));
  build_language (self);
  build_style (self);
  build_audience (self);
  build_policies (self);
  gtk_widget_add_css_class (box, "mode-options");
  gtk_box_append (GTK_BOX (box), self->language);
  gtk_box_append (GTK_BOX (box), self->style);
  gtk_box_append (GTK_BOX (box), self->audience);
  gtk_box_append (GTK_BOX (box), self->policies);
  gtk_popover_set_child (GTK_POPOVER (popover), box);
  gtk_menu_button_set_popover (GTK_MENU_BUTTON (self->button), popover);
  gtk_widget_add_css_class (self->button, "flat");
  g_object_set_data_full (G_OBJECT (self->button), "options", self, options_free);
  g_signal_connect_object (settings, "changed", G_CALLBACK (settings_changed_cb), self->button, G_CONNECT_SWAPPED);
  update (self);
  return self->button;
}
