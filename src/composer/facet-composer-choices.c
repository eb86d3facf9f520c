#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>

#include "facet-composer-private.h"

#include "facet-toolbox.h"

/* What a chat may do beside answering: a button with a popover of switches. */

static void
emit (FacetComposer *self, const char *name, gboolean on)
{
  if (!self->showing_choices)
    g_signal_emit_by_name (self, "choice", name, on);
}

static void
switched_cb (GtkSwitch *control, GParamSpec *pspec, FacetComposer *self)
{
  emit (self, g_object_get_data (G_OBJECT (control), "choice"), gtk_switch_get_active (control));
}

static void
ask_again_cb (FacetComposer *self)
{
  emit (self, "ask-again", TRUE);
}

/* @choice: what signal "choice" calls it. */
static GtkWidget *
switch_row (FacetComposer *self, const char *choice, const char *title, GtkWidget **control)
{
  GtkWidget *row = adw_action_row_new ();

  *control = gtk_switch_new ();
  gtk_widget_set_valign (*control, GTK_ALIGN_CENTER);
  g_object_set_data (G_OBJECT (*control), "choice", (gpointer) choice);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), *control);
  adw_action_row_set_activatable_widget (ADW_ACTION_ROW (row), *control);
  g_signal_connect (*control, "notify::active", G_CALLBACK (switched_cb), self);
  return row;
}

static GtkWidget *
allowed_row (FacetComposer *self)
{
  GtkWidget *row = adw_action_row_new ();
  GtkWidget *button = gtk_button_new_with_mnemonic (_("_Ask Again"));

  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), _("Allowed Without Asking"));
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), button);
  g_signal_connect_swapped (button, "clicked", G_CALLBACK (ask_again_cb), self);
  return row;
}

static void
describe_thinking (FacetComposer *self)
{
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->thinking_row),
                               self->thinks ? _("Slower, and better at hard questions; the thoughts are shown apart")
                                            : _("This model cannot think before it answers; Gemma 4 can"));
  gtk_widget_set_sensitive (self->thinking_row, self->thinks);
}

/* What is on shows in the button, too. */
static void
update_button (FacetComposer *self)
{
  gboolean thinks = self->thinks && gtk_switch_get_active (GTK_SWITCH (self->thinking));
  gboolean tools = gtk_switch_get_active (GTK_SWITCH (self->tools));
  const char *state = thinks && tools ? _("Thinking and tools are on")
                      : thinks        ? _("Thinking is on")
                      : tools         ? _("Tools are on")
                                      : _("Thinking and Tools");
  GtkWidget *button = GTK_WIDGET (self->choices_button);

  if (thinks || tools)
    gtk_widget_add_css_class (button, "chosen");
  else
    gtk_widget_remove_css_class (button, "chosen");
  gtk_widget_set_tooltip_text (button, state);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Thinking and Tools"),
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, state, -1);
}

void
facet_composer_set_thinks (FacetComposer *self, gboolean thinks)
{
  self->thinks = thinks;
  describe_thinking (self);
  update_button (self);
}

/* Setting what is set already would end, and so undo, the movement of a switch that was just pressed. */
static void
show_switch (GtkWidget *control, gboolean on)
{
  if (gtk_switch_get_active (GTK_SWITCH (control)) != on)
    gtk_switch_set_active (GTK_SWITCH (control), on);
}

void
facet_composer_set_choices (FacetComposer *self, const FacetChatOptions *options)
{
  g_autoptr (GString) names = g_string_new (NULL);
  g_autofree char *escaped = NULL;

  for (guint i = 0; i < options->allowed->len; i++)
    /* Translators: between the names of tools in a list */
    g_string_append_printf (names, "%s%s", i > 0 ? C_("list of tools", ", ") : "", facet_toolbox_title (options->allowed->pdata[i]));
  escaped = g_markup_escape_text (names->str, -1);
  self->showing_choices = TRUE;
  show_switch (self->thinking, options->thinking);
  show_switch (self->tools, options->tools);
  self->showing_choices = FALSE;
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->allowed_row), escaped);
  gtk_widget_set_visible (self->allowed_row, options->allowed->len > 0);
  update_button (self);
}

void
_facet_composer_setup_choices (FacetComposer *self)
{
  GtkWidget *popover = gtk_popover_new ();
  GtkWidget *clamp = adw_clamp_new ();
  GtkWidget *list = gtk_list_box_new ();
  GtkWidget *tools_row = switch_row (self, "tools", _("Tools"), &self->tools);

  self->thinking_row = switch_row (self, "thinking", _("Think First"), &self->thinking);
  self->allowed_row = allowed_row (self);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (tools_row),
                               _("Arithmetic, units and the clock; you are asked before a file is read or a command is run"));
  gtk_list_box_set_selection_mode (GTK_LIST_BOX (list), GTK_SELECTION_NONE);
  gtk_list_box_append (GTK_LIST_BOX (list), self->thinking_row);
  gtk_list_box_append (GTK_LIST_BOX (list), tools_row);
  gtk_list_box_append (GTK_LIST_BOX (list), self->allowed_row);
  gtk_widget_add_css_class (list, "boxed-list");
  gtk_accessible_update_property (GTK_ACCESSIBLE (list), GTK_ACCESSIBLE_PROPERTY_LABEL, _("Thinking and Tools"), -1);
  adw_clamp_set_maximum_size (ADW_CLAMP (clamp), 320);
  adw_clamp_set_tightening_threshold (ADW_CLAMP (clamp), 320);
  adw_clamp_set_child (ADW_CLAMP (clamp), list);
  gtk_widget_add_css_class (popover, "choices");
  gtk_popover_set_child (GTK_POPOVER (popover), clamp);
  gtk_menu_button_set_popover (self->choices_button, popover);
  facet_composer_set_thinks (self, FALSE);
}
